"""Runs each command of the pages. A new command needs a row in a table COMMANDS of rows_*.py."""

import importlib
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # noqa: E402
import pages  # noqa: E402
import runners  # noqa: E402

TABLES = [importlib.import_module(path.stem) for path in sorted(HERE.glob("rows_*.py"))]
COMMANDS = {command: runner for table in TABLES for command, runner in table.COMMANDS.items()}


def unknown(text):
    return [command for command in pages.all_commands(text) if command not in COMMANDS]


class Coverage(unittest.TestCase):
    def test_each_command_has_a_row(self):
        for name in pages.names():
            with self.subTest(name):
                self.assertEqual(unknown(pages.read(name)), [])

    def test_unknown_commands_are_found(self):
        for name, planted in (("command", "```sh\ntests/run.sh\nrm -r x  # gone\n```"),
                              ("second of two", "```sh\ntests/run.sh && rm x\n```"),
                              ("in a sentence", "Then `deploy/run.sh --no-such-flag` serves.")):
            with self.subTest(name):
                self.assertEqual(len(unknown(planted)), 1)

    def test_each_row_is_on_a_page(self):
        """And in one table."""
        used = {command for name in pages.names() for command in pages.all_commands(pages.read(name))}
        self.assertEqual(sorted(set(COMMANDS) - used), [])
        self.assertEqual(sum(len(table.COMMANDS) for table in TABLES), len(COMMANDS))


class Commands(harness.LiveTest):
    def test_commands_run(self):
        with tempfile.TemporaryDirectory(prefix="procevent-docs-") as directory:
            tree = runners.Tree(directory)
            for name in pages.names():
                for command in pages.all_commands(pages.read(name)):
                    with self.subTest(page=name, command=command):
                        COMMANDS[command](tree, command)


if __name__ == "__main__":
    harness.main()
