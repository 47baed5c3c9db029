"""A real VictoriaMetrics that scrapes one exporter."""

import re

import harness
import scraper


def skip_reason():
    """The reason to skip if VictoriaMetrics is not installed, else None."""
    return scraper.missing_programs("victoria-metrics")


def command(directory, config, port):
    return ["victoria-metrics", f"-promscrape.config={config}", f"-storageDataPath={directory}/data",
            f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1d", "-memory.allowedBytes=64MB",
            "-search.latencyOffset=1s", "-search.disableCache", "-loggerLevel=WARN"]


class VictoriaMetrics(scraper.Scraper):
    def __init__(self, target_port, **job):
        super().__init__("VictoriaMetrics", command, target_port, **job)

    def wait_scraping(self):
        # A query before the first sample would be answered as empty for another 10 s.
        harness.wait_for(f"{self.name} to scrape the exporter", lambda: self.try_query(self.is_scraping))
        return self

    def is_scraping(self):
        return any(target["health"] == "up" for target in self.targets())

    def rejected_lines(self):
        """The number of rejected lines. VictoriaMetrics keeps the other lines of the scrape."""
        own = self.get("/metrics").decode()
        (number,) = re.findall(r'^vm_rows_invalid_total\{type="prometheus"\} (\d+)$', own, re.MULTILINE)
        return int(number)
