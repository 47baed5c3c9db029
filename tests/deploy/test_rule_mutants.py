#!/usr/bin/env python3
"""Changes to thresholds, windows and guards of deploy/prometheus: each is found by a test."""

import pathlib
import re
import sys
import tempfile
import unittest

from rule_files import ROOT, promtool, run_promtool
from rule_mutants import mutants

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402
import prometheus  # noqa: E402

SECONDS = 1800  # of promtool, on a busy machine


class Mutants(unittest.TestCase):
    def test_each_change_is_found(self):
        harness.require(prometheus.why_not())
        with tempfile.TemporaryDirectory(prefix="procevent-rules-") as directory:
            changes = mutants(pathlib.Path(directory))
            self.assertGreater(len(changes), 100)
            promtool("check", "rules", *(rules for _, rules, _ in changes))
            _, printed = run_promtool("test", "rules", *(file for _, _, files in changes for file in files),
                                      seconds=SECONDS)
        ended = dict(re.findall(r"Unit Testing:  (\S+)\s+(SUCCESS|FAILED)", printed))
        for change, _, files in changes:
            with self.subTest(change):
                self.assertIn("FAILED", [ended[str(file)] for file in files], "no test finds it")


if __name__ == "__main__":
    harness.main()
