"""A real VictoriaMetrics that scrapes one exporter."""

import re

import harness
import scraper


def why_not():
    """One line, where there is no VictoriaMetrics to run; else None."""
    return scraper.missing("victoria-metrics")


def command(directory, config, port):
    return ["victoria-metrics", f"-promscrape.config={config}", f"-storageDataPath={directory}/data",
            f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1d", "-memory.allowedBytes=64MB",
            "-search.latencyOffset=1s", "-search.disableCache", "-loggerLevel=WARN"]


class VictoriaMetrics(scraper.Scraper):
    def __init__(self, target_port, **job):
        super().__init__("VictoriaMetrics", command, target_port, **job)

    def wait_scraping(self):
        # Asked for samples before there are any, it would go on saying so for 10 s.
        harness.wait_for(f"{self.name} to scrape the exporter", lambda: self.asked(self.is_scraping))
        return self

    def is_scraping(self):
        return any(target["health"] == "up" for target in self.targets())

    def passed_over(self):
        """How many lines of the scraped pages it did not understand: it takes the others all the same."""
        own = self.get("/metrics").decode()
        (number,) = re.findall(r'^vm_rows_invalid_total\{type="prometheus"\} (\d+)$', own, re.MULTILINE)
        return int(number)
