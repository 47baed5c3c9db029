"""A real Prometheus that scrapes one exporter."""

import collections
import time

import measure
import scraper

JOB = scraper.JOB
UNCERTAIN_NS = 5_000_000  # Prometheus writes when a scrape began in milliseconds, and may move it by 2

# `time` is in PromQL's words; `span` is how many events the witness says there had been.
Scrape = collections.namedtuple("Scrape", "time span")


def why_not():
    """One line, where there is no Prometheus to run; else None."""
    return scraper.missing("prometheus", "promtool")


def command(directory, config, port):
    return ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]


class Prometheus(scraper.Scraper):
    def __init__(self, target_port, **job):
        super().__init__("Prometheus", command, target_port, **job)

    def passed_over(self):
        """How many lines of the scraped pages it did not understand: one fails the scrape."""
        return sum(bool(target["lastError"]) for target in self.targets())

    def scrape(self, onlooker):
        """One that began after this was called; at rest, if there is any."""
        last = time.time()

        def take():
            nonlocal last
            time.sleep(0.05)
            times = [value for _, value in self.query('timestamp(procevent_events_total{event="fork"})')]
            if not times or float(times[0]) <= last:
                return None
            last = float(times[0])
            ((_, duration),) = self.query(f"scrape_duration_seconds @ {times[0]}")
            start = int((last - time.time() + time.monotonic()) * 1e9)
            end = start + int(float(duration) * 1e9)
            return Scrape(times[0], onlooker.span(start - UNCERTAIN_NS, end + UNCERTAIN_NS))

        return measure.PATIENCE.tightest(take)
