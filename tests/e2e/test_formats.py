"""The text formats of a page: other programs accept both, and read the same from both."""

import gzip
import json
import os
import re
import shutil
import subprocess
import unittest

import harness
import prometheus

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "deploy/demo/demo.pcap")
PARSER = os.path.join(ROOT, "tests/e2e/parse_exposition.py")
PYTHON = "/usr/bin/python3"  # Debian's, for which python3-prometheus-client is installed

CONTENT_TYPES = {"plain": "text/plain; version=0.0.4; charset=utf-8",
                 "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
ACCEPTED = {"plain": "*/*", "openmetrics": prometheus.ACCEPT}
# Values that change from scrape to scrape after the end of a replay.
VARYING = re.compile(r"process_|procevent_exporter_reader_cpu_|procevent_snapshot_timestamp_")


def run(*command, text):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                          timeout=harness.DEADLINE_SECONDS)


def parser_skip_reason():
    """The reason to skip if the parser is not installed, else None."""
    if not os.access(PYTHON, os.X_OK) or run(PYTHON, "-c", "import prometheus_client", text="").returncode != 0:
        return "not installed: python3-prometheus-client"
    return None


def sample_values(families):
    """(name, labels) to value."""
    return {(name, *sorted(labels.items())): None if VARYING.match(name) else value
            for family in families for name, labels, value, _ in family["samples"]}


def has_replayed(exporter):
    return bool(harness.log_lines(exporter.log(), "replay finished"))


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = cls.enterClassContext(harness.Exporter(f"--source.replay={DEMO}", "--source.replay-speed=max"))
        harness.wait_for("the end of the capture", lambda: has_replayed(cls.exporter))

    def fetch(self, name, encoding="identity"):
        answer = self.exporter.get("/metrics", headers={"Accept": ACCEPTED[name], "Accept-Encoding": encoding})
        self.assertEqual(answer.headers["Content-Type"], CONTENT_TYPES[name])
        self.assertEqual(answer.headers["Vary"], "Accept, Accept-Encoding")
        self.assertEqual(answer.headers["Content-Encoding"], None if encoding == "identity" else encoding)
        return (gzip.decompress(answer.body) if encoding == "gzip" else answer.body).decode()

    def parse(self, name, encoding="identity"):
        harness.require(parser_skip_reason())
        done = run(PYTHON, "-B", PARSER, name, text=self.fetch(name, encoding))
        self.assertEqual((done.returncode, done.stderr), (0, ""), name)
        return json.loads(done.stdout)

    def test_other_parsers_read_the_same_from_both(self):
        pages = {(name, encoding): self.parse(name, encoding)
                 for name in CONTENT_TYPES for encoding in ("identity", "gzip")}
        expected = pages["plain", "identity"]
        self.assertGreater(len(sample_values(expected)), 300)
        for key, families in pages.items():
            with self.subTest(key):
                self.assertEqual([(family["name"], family["type"], family["help"]) for family in families],
                                 [(family["name"], family["type"], family["help"]) for family in expected])
                self.assertEqual(sample_values(families), sample_values(expected))

    def test_only_openmetrics_has_units(self):
        for family in self.parse("openmetrics"):
            unit = re.search("_(seconds|bytes)$", family["name"])
            self.assertEqual(family["unit"], unit[1] if unit else "", family["name"])
        self.assertEqual({family["unit"] for family in self.parse("plain")}, {""})

    def test_end_of_the_pages(self):
        openmetrics = self.fetch("openmetrics")
        self.assertTrue(openmetrics.endswith("\n# EOF\n"))
        self.assertEqual(openmetrics.count("# EOF"), 1)
        self.assertNotIn("_created", openmetrics)
        self.assertNotIn("# EOF", self.fetch("plain"))

    def test_bounds_are_floats(self):
        for name in CONTENT_TYPES:
            bounds = re.findall(r'[{,]le="([^"]*)"', self.fetch(name))
            self.assertIn("1.0", bounds)
            self.assertIn("1e-05", bounds)
            for bound in set(bounds) - {"+Inf"}:
                self.assertRegex(bound, r"[.e]")

    def test_promtool_finds_no_fault_in_plain_text(self):
        promtool = shutil.which("promtool")
        harness.require(None if promtool else "not installed: promtool")
        done = run(promtool, "check", "metrics", text=self.fetch("plain"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_prometheus_stores_the_samples_of_both(self):
        harness.require(prometheus.skip_reason())
        page = self.parse("openmetrics")
        with prometheus.Prometheus(self.exporter.port) as server:
            server.wait_scraping()
            stored = {}
            for labels, value in server.query('{__name__=~"process_.*|procevent_.*"}'):
                name = labels.pop("__name__")
                del labels["instance"], labels["job"]
                stored[name, *sorted(labels.items())] = None if VARYING.match(name) else float(value)
            metadata = server.api("metadata")
            exemplars = server.api("query_exemplars", query="procevent_exit_signals_total", start="0", end="9999999999")
        self.assertEqual(stored, sample_values(page))
        self.assertEqual(stored, sample_values(self.parse("plain")))
        # Only a scrape of OpenMetrics gives a counter's family this name, and a unit.
        self.assertEqual([(row["type"], row["unit"]) for row in metadata["process_cpu_seconds"]],
                         [("counter", "seconds")])
        self.assertNotIn("process_cpu_seconds_total", metadata)
        self.check_exemplars(exemplars, page)

    def check_exemplars(self, stored, page):
        expected = [(labels, exemplar["labels"]) for family in page for name, labels, _, exemplar in family["samples"]
                    if exemplar]
        self.assertGreater(len(expected), 2, "the demo has few crashes")
        self.assertCountEqual([({name: value for name, value in row["seriesLabels"].items()
                                 if name not in ("__name__", "instance", "job")}, exemplar["labels"])
                               for row in stored for exemplar in row["exemplars"]], expected)


if __name__ == "__main__":
    harness.main()
