#!/usr/bin/env python3
"""Tests that the simulation of a fleet (tests/bench/fleet.py) runs with federation and with remote write.

The test does not judge the measured values."""

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
    def test_simulation_runs_without_failures(self):
        harness.require(scraper.missing_programs("prometheus", "victoria-metrics", "vmalert"))
        build = pathlib.Path(harness.exporter_binary()).parent
        done = subprocess.run([sys.executable, str(ROOT / "tests" / "bench" / "fleet.py"), f"--build={build}",
                               "--nodes=3", "--interval=5s", "--seconds=70", "--settle=5"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = {name: figures for name, *figures in re.findall(r"(?m)^\| (.+?) \| (.+?) \| (.+?) \|$", done.stdout)}
        self.assertEqual(rows["samples lost"], ["0", "0"])
        self.assertEqual(rows["failed rule evaluations"], ["0", "0"])
        for name in ("node: series", "Prometheus: series in memory", "remote write: samples",
                     "fleet series, `job.*:procevent_.*`"):
            for figure in rows[name]:
                self.assertRegex(figure, r"^[1-9]", name)


if __name__ == "__main__":
    harness.main()
