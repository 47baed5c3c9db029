"""A real Prometheus that scrapes one exporter, and answers PromQL."""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
import measure

SCRAPE_INTERVAL = "1s"  # also the timeout
UNCERTAIN_NS = 5_000_000  # Prometheus writes when a scrape began in milliseconds, and may move it by 2
JOB = "procevent"

# `time` is in PromQL's words; `span` is how many events the witness says there had been.
Scrape = collections.namedtuple("Scrape", "time span")


def why_not():
    """One line, where there is no Prometheus to run; else None."""
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


class Prometheus:
    """A running server with its data in a directory of its own; gone at the end of the `with`."""

    def __init__(self, target_port):
        self._directory = tempfile.TemporaryDirectory(prefix="procevent-prometheus-")
        self._port = harness.free_port()
        config = os.path.join(self._directory.name, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": SCRAPE_INTERVAL},
                       "scrape_configs": [{"job_name": JOB,
                                           "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}]}, file)
        self._log = open(os.path.join(self._directory.name, "log"), "w+b")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self._directory.name}/data",
             f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=self._directory.name)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if failure is not None:
            self._log.seek(0)
            sys.stderr.write(f"Prometheus's log:\n{self._log.read().decode(errors='replace')}\n")
        self._log.close()
        self._directory.cleanup()

    def _api(self, path, **arguments):
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=harness.DEADLINE_SECONDS) as response:
            answer = json.load(response)
        if answer["status"] != "success":
            raise AssertionError(f"{url}: {answer}")
        return answer["data"]

    def query(self, expression):
        """Of an instant query: a list of labels and value. The value keeps its text: a float would round times."""
        return [(row["metric"], row["value"][1]) for row in self._api("query", query=expression)["result"]]

    def targets(self):
        return self._api("targets")["activeTargets"]

    def wait_scraping(self):
        def answers():
            if self._process.poll() is not None:
                raise AssertionError(f"Prometheus ended with {self._process.returncode}")
            try:
                return self.query("up == 1")
            except urllib.error.URLError:  # not yet listening, or not yet ready
                return None

        harness.wait_for("Prometheus to scrape the exporter", answers)
        return self

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
