#!/usr/bin/env python3
"""The simulation of a fleet goes all the way in both ways: nodes, Prometheus, VictoriaMetrics, the fleet's rules. What
it measures is judged by nobody here."""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402
import scraper  # noqa: E402

SECONDS = 1200


class Fleet(unittest.TestCase):
    def test_nothing_fails_on_the_way(self):
        harness.require(scraper.missing("prometheus", "victoria-metrics", "vmalert"))
        build = pathlib.Path(harness.exporter_binary()).parent
        done = subprocess.run([sys.executable, str(ROOT / "tests" / "bench" / "fleet.py"), f"--build={build}",
                               "--nodes=3", "--interval=5s", "--seconds=70", "--settle=5"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = {name: figures for name, *figures in re.findall(r"(?m)^\| (.+?) \| (.+?) \| (.+?) \|$", done.stdout)}
        self.assertEqual(rows["samples not written"], ["0", "0"])
        self.assertEqual(rows["evaluations of rules that failed"], ["0", "0"])
        for name in ("a node: series scraped", "Prometheus: series in memory", "remote write: samples",
                     "series of the fleet, `job.*:procevent_.*`"):
            for figure in rows[name]:
                self.assertRegex(figure, r"^[1-9]", name)


if __name__ == "__main__":
    harness.main()
