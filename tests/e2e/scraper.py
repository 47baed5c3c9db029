"""Runs a server that scrapes one exporter and answers PromQL: the common part of Prometheus and VictoriaMetrics."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import harness

SCRAPE_INTERVAL = "1s"  # also the timeout
JOB = "procevent"


def missing_programs(*programs):
    """The reason to skip if a program is not installed, else None."""
    names = [name for name in programs if shutil.which(name) is None]
    return f"not installed: {', '.join(names)}" if names else None


class Scraper:
    """A running server with a temporary data directory, for as long as the `with` lasts.

    `command` returns the command line for a directory, a configuration file and a port. `job` holds further keys of the
    scrape configuration, such as the scheme.
    """

    def __init__(self, name, command, target_port, **job):
        self.name = name
        self.port = harness.free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="procevent-scraper-")
        config = os.path.join(self._directory.name, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:  # JSON is YAML
            json.dump({"global": {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": SCRAPE_INTERVAL},
                       "scrape_configs": [{"job_name": JOB, **job,
                                           "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}]}, file)
        self._command = command(self._directory.name, config, self.port)
        self._log = self._process = None

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._directory)
            self._log = undo.enter_context(open(os.path.join(self._directory.name, "log"), "w+b"))
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._log,
                                             stderr=self._log, cwd=self._directory.name)
            undo.pop_all()
        return self

    def __exit__(self, failure, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if failure is not None:
            self._log.seek(0)
            sys.stderr.write(f"{self.name}'s log:\n{self._log.read().decode(errors='replace')}\n")
        self._log.close()
        self._directory.cleanup()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=harness.DEADLINE_SECONDS) as answer:
            return answer.read()

    def api(self, path, **arguments):
        query = f"/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            answer = json.loads(self.get(query))
        except urllib.error.HTTPError as error:
            if error.code == 503:  # not yet ready
                raise
            raise AssertionError(f"{self.name}: {query}: {error}: {error.read().decode(errors='replace')}") from error
        if answer["status"] != "success":
            raise AssertionError(f"{self.name}: {query}: {answer}")
        return answer["data"]

    def query(self, expression):
        """Labels and value of each series of an instant query. The value is text, since a float would round times."""
        return [(row["metric"], row["value"][1]) for row in self.api("query", query=expression)["result"]]

    def targets(self):
        return self.api("targets")["activeTargets"]

    def wait_scraping(self):
        harness.wait_for(f"{self.name} to scrape the exporter", lambda: self.try_query(lambda: self.query("up == 1")))
        return self

    def try_query(self, query):
        """The result of the function `query`, or None while the server is not reachable."""
        if self._process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self._process.returncode}")
        try:
            return query()
        except (urllib.error.URLError, ConnectionError):
            return None
