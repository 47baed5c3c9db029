#!/usr/bin/env python3
"""Tests deploy/man: the page contains everything of --help, and mandoc and groff find no fault."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "deploy" / "man")]

import harness  # noqa: E402
import man_page  # noqa: E402

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "SIGNALS", "FILES", "ENVIRONMENT", "EXIT STATUS",
            "EXAMPLES", "SEE ALSO"]
LINTERS = {  # commands that print only the faults of a page
    "mandoc": ["mandoc", "-Tlint"],
    "groff": ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z"],
}
HELP = """A description
Usage: x [FLAG]... [COMMAND]

Commands:
  run                         Run

Flags:
  -h, --help                  Print this and exit
  --a.flag-of-a-long-name VALUE
                              A description in one line
                              and another
"""


def output(*command):
    return subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=harness.DEADLINE_SECONDS, check=True).stdout


class ManPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.binary = harness.exporter_binary()
        cls.page = output(sys.executable, "-B", man_page.TEMPLATE.parent / "man_page.py", cls.binary)

    def faults(self, linter, page):
        with tempfile.NamedTemporaryFile("w", prefix="procevent-man-", suffix=".1", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            done = subprocess.run([*LINTERS[linter], file.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=harness.DEADLINE_SECONDS, check=False)
            return done.stdout

    def test_linters_find_no_fault(self):
        for linter in LINTERS:
            with self.subTest(linter):
                harness.require(None if shutil.which(linter) else f"{linter} is not installed")
                self.assertEqual(self.faults(linter, self.page), "")
                self.assertNotEqual(self.faults(linter, self.page.replace(".TP", ".TQQ", 1)), "", "fault not found")

    def test_sections(self):
        self.assertEqual(re.findall(r"(?m)^\.SH (.*)$", self.page), SECTIONS)
        self.assertIn(output(self.binary, "--version").strip(), self.page)
        self.assertNotIn("@", self.page)

    def test_description_begins_with_that_of_the_help(self):
        text = self.page.partition(".SH DESCRIPTION\n")[2].partition(".PP\n")[0]
        self.assertEqual(text.split(), output(self.binary, "--help").partition("\n")[0].split())

    def test_every_flag_and_command_is_documented(self):
        plain = re.sub(r"\\f[BIR]", "", self.page).replace("\\-", "-")
        helps = {"": output(self.binary, "--help")}
        for command in re.findall(r"(?m)^  ([a-z-]+) {2,}", helps[""].partition("Commands:")[2].partition("Flags:")[0]):
            helps[command] = output(self.binary, command, "--help")
            self.assertRegex(plain, rf"(?m)^\.SS {command}$")
        self.assertGreaterEqual(len(helps), 7)
        for command, text in helps.items():
            part = plain.partition(f".SS {command}\n")[2].partition(".S")[0] if command else plain
            for flag in set(re.findall(r"(?m)^  (?:-h, )?(--[\w.-]+)", text)) - ({"--help"} if command else set()):
                with self.subTest(command=command, flag=flag):
                    self.assertRegex(part, rf"(?m)^\.TP\n(-h, )?{re.escape(flag)}(=.*)?$")

    def test_help_parser(self):
        found = man_page.Help(HELP)
        self.assertEqual(found.entries["Flags:"],
                         [("-h, --help", "Print this and exit"),
                          ("--a.flag-of-a-long-name VALUE", "A description in one line and another")])
        self.assertEqual(found.entries["Commands:"], [("run", "Run")])
        self.assertEqual(man_page.flag("--a.b VALUE"), r"\fB\-\-a.b\fR=\fIVALUE\fR")
        for planted in (HELP.replace("Usage:", "Use:"), HELP + "   three spaces\n"):
            with self.subTest(planted), self.assertRaises(ValueError):
                man_page.Help(planted)


if __name__ == "__main__":
    harness.main()
