#!/usr/bin/env python3
"""Tests that the test helpers leave no process, mount or file behind, even if a start fails halfway."""

import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "bench")]

import engine  # noqa: E402
import fleet  # noqa: E402
import fresh_root  # noqa: E402
import harness  # noqa: E402
import scraper  # noqa: E402

NEVER = "while :; do sleep 0.1; done"


def processes_with(folder):
    """The processes with the folder in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if os.fsencode(folder) in path.read_bytes() else []
        except OSError:
            pass  # the process has ended
    return found


class Leftovers(unittest.TestCase):
    """Runs in a temporary folder of its own, to detect leftovers."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="procevent-left-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("bin", "tmp"):
            (self.folder / name).mkdir()
        self.enterContext(unittest.mock.patch.object(tempfile, "tempdir", str(self.folder / "tmp")))

    def check_nothing_is_left(self):
        # A killed shell can leave a child that has forked but not yet executed `sleep`, for an instant.
        harness.wait_for("all processes to be gone", lambda: not processes_with(self.folder), seconds=2)
        self.assertEqual(list((self.folder / "tmp").iterdir()), [])

    def put_program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        path.chmod(0o755)
        return path

    def test_engine_that_never_answers(self):
        self.put_program("dockerd", NEVER)
        self.put_program("docker", "exit 1")
        search = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        with unittest.mock.patch.dict(os.environ, {"PATH": search}), \
                unittest.mock.patch.object(engine, "START_SECONDS", 1):
            with self.assertRaisesRegex(AssertionError, "timed out .*: the engine"), engine.Engine():
                pass
        self.check_nothing_is_left()

    def test_server_that_never_answers(self):
        program = self.put_program("server", NEVER)
        with unittest.mock.patch.object(fleet, "READY_SECONDS", 1):
            server = fleet.Server(self.folder / "home", "/", lambda folder, port: [str(program), str(folder)])
            with self.assertRaisesRegex(AssertionError, "timed out"), server:
                pass
        self.check_nothing_is_left()

    def test_scraper_that_is_not_entered(self):
        program = self.put_program("server", NEVER)
        server = scraper.Scraper("none", lambda folder, config, port: [str(program), folder], 1)
        self.assertEqual(processes_with(self.folder), [])
        with server:
            # A process has no command line during its exec.
            harness.wait_for("the server to be visible", lambda: processes_with(self.folder))
        self.check_nothing_is_left()

    def test_fresh_root_without_packages(self):
        harness.require(None if os.geteuid() == 0 else "not root")
        fresh_root.own_mounts()
        run = fresh_root.run

        def failing(*command, **more):
            if command[0] == "debootstrap":
                for name in ("etc/apt", "proc"):
                    (command[3] / name).mkdir(parents=True)
                return ""
            return run("false") if command[0] == "chroot" else run(*command, **more)

        with unittest.mock.patch.object(fresh_root, "run", failing):
            with self.assertRaisesRegex(AssertionError, "exit 1"), fresh_root.FreshRoot():
                pass
        self.assertNotIn(str(self.folder), pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8"))
        self.check_nothing_is_left()


if __name__ == "__main__":
    harness.main()
