#!/usr/bin/env python3
"""Tests that promtool's tests detect each change of a threshold, window or guard of deploy/prometheus."""

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

SECONDS = 1800  # promtool's timeout on a busy machine


class Mutants(unittest.TestCase):
    def test_each_change_is_detected(self):
        harness.require(prometheus.skip_reason())
        with tempfile.TemporaryDirectory(prefix="procevent-rules-") as directory:
            changes = mutants(pathlib.Path(directory))
            self.assertGreater(len(changes), 100)
            promtool("check", "rules", *(rules for _, rules, _ in changes))
            _, printed = run_promtool("test", "rules", *(file for _, _, files in changes for file in files),
                                      seconds=SECONDS)
        results = dict(re.findall(r"Unit Testing:  (\S+)\s+(SUCCESS|FAILED)", printed))
        for change, _, files in changes:
            with self.subTest(change):
                self.assertIn("FAILED", [results[str(file)] for file in files], "no test detects it")


if __name__ == "__main__":
    harness.main()
