"""A real Prometheus that scrapes one exporter."""

import collections
import time

import measure
import scraper

JOB = scraper.JOB
ACCEPT = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")  # as Prometheus 2.42 sends it
UNCERTAINTY_NS = 5_000_000  # Prometheus rounds the start of a scrape to milliseconds, and may move it by 2

# `time` is text for PromQL. `span` is the number of events at the time of the scrape.
Scrape = collections.namedtuple("Scrape", "time span")


def skip_reason():
    """The reason to skip if Prometheus is not installed, else None."""
    return scraper.missing_programs("prometheus", "promtool")


def command(directory, config, port):
    return ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            "--enable-feature=exemplar-storage"]


class Prometheus(scraper.Scraper):
    def __init__(self, target_port, **job):
        super().__init__("Prometheus", command, target_port, **job)

    def rejected_lines(self):
        """The number of rejected lines. In Prometheus one rejected line fails the whole scrape."""
        return sum(bool(target["lastError"]) for target in self.targets())

    def samples(self, selector):
        """Times and values of the stored samples of the only series that the selector finds. [] if there is none."""
        rows = self.api("query", query=f"{selector}[1h]")["result"]
        if len(rows) > 1:
            raise AssertionError(f"{selector}: {[row['metric'] for row in rows]}")
        return [(time_of, float(value)) for row in rows for time_of, value in row["values"]]

    def scrape(self, counter):
        """A scrape that starts after this call, if possible without events during it."""
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
            return Scrape(times[0], counter.span(start - UNCERTAINTY_NS, end + UNCERTAINTY_NS))

        return measure.IDLE_BUDGET.best_scrape(take)
