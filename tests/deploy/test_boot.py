#!/usr/bin/env python3
"""The Debian package in a real boot: systemd starts the unit on Debian's own kernel, which is older than the one that
most is developed on; it counts a storm, and stops; the live tests run there, too; and the package comes and goes.

PROCEVENT_BOOT_LOG names a file for what the machine says, to be watched."""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import debian_package  # noqa: E402
import fresh_root  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402

PROBE = """\
[Unit]
Description=Looks at the exporter
After=procevent_exporter.service

[Service]
Type=oneshot
ExecStart=/opt/probe/probe.sh
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
"""
# The unit as it is, but that a call which its filter forbids does not fail: it kills.
FORBIDDEN_KILLS = """\
[Service]
SystemCallErrorNumber=kill
"""
SIGSYS = 31


def set_up(root, package):
    """A root that boots, with the package and the probe in it."""
    root.run("apt-get", "-q", "install", "-y", "--no-install-recommends", "systemd-sysv", "kmod")
    root.install(package)
    probe = root.path / "opt" / "probe"
    probe.mkdir(parents=True)
    build = pathlib.Path(harness.program("PROCEVENT_STORM")).parents[2]
    (root.path / "tmp" / package.name).unlink()
    for program in (package, pathlib.Path(__file__).with_name("probe.sh"), harness.program("PROCEVENT_STORM"),
                    build / "tests/bench/tiny", build / "tests/live/live_test", build / "tests/live/process_tracker_live_test",
                    build / "tests/live/workload"):
        shutil.copy(program, probe)
    units = root.path / "etc/systemd/system"
    (units / "probe.service").write_text(PROBE, encoding="ascii")
    (units / "procevent_exporter.service.d").mkdir()
    (units / "procevent_exporter.service.d" / "kill.conf").write_text(FORBIDDEN_KILLS, encoding="ascii")
    root.run("systemctl", "enable", "probe.service")
    return machine.put_kernel(root)


class Boot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(machine.why_not())
        fresh_root.own_mounts()
        package = debian_package.build()
        with tempfile.TemporaryDirectory(prefix="procevent-boot-") as folder, fresh_root.FreshRoot() as root:
            log = pathlib.Path(os.environ.get("PROCEVENT_BOOT_LOG", f"{folder}/log"))
            machine.boot(root, set_up(root, package), folder, log)
            cls.said = log.read_text(encoding="utf-8", errors="replace")
        cls.told = dict(re.findall(r"(?m)^PROBE ([\w-]+)=(.*?)\r?$", cls.said))

    def setUp(self):
        self.assertEqual(self.told.get("end"), "1", f"it did not come to its end:\n{self.said[-6000:]}")

    def test_an_older_kernel(self):
        print(f"Linux {self.told['kernel']}", flush=True)
        self.assertTrue(self.told["kernel"].startswith("6.1."), self.told["kernel"])

    def test_the_unit_comes_up(self):
        self.assertEqual(self.told["state"], "active", self.said[-6000:])
        self.assertIn("200 OK", self.told["ready"])
        self.assertEqual((self.told["listening"], self.told["reload"]), ("1", "1"))
        self.assertNotIn(self.told["user"], ("root", ""))
        self.assertTrue(self.told["status"])

    def test_it_counts_a_storm(self):
        self.assertEqual(int(self.told["forks"]), json.loads(self.told["storm"])["forks"])
        self.assertEqual(self.told["lost"], "0")

    def test_it_stops(self):
        self.assertEqual((self.told["stopped"], self.told["restarts"]), ("success", "0"))

    def test_the_filter_left_what_it_calls(self):
        self.assertEqual((self.told["state"], self.told["restarts"]), ("active", "0"))
        self.assertEqual(self.told["planted"], str(SIGSYS), "what is forbidden would not have been seen")

    def test_the_package_comes_and_goes(self):
        steps = {name: code for name, code in self.told.items() if name.startswith("dpkg--")}
        self.assertEqual(steps, {"dpkg--install": "0", "dpkg--remove": "0", "dpkg--purge": "0"})
        before, after = re.fullmatch(r"active from (\d+) to (\d+)", self.told["upgraded"]).groups()
        self.assertNotIn(after, (before, "0"))
        self.assertEqual(self.told["removed"], "inactive not-found ended")
        self.assertEqual(self.told["left"], "")
        self.assertEqual(self.told["installed"], "active enabled")

    def test_the_live_tests(self):
        for program in ("live_test", "process_tracker_live_test"):
            lines = re.findall(rf"(?m)^PROBE {program}: (.*?)\r?$", self.said)
            with self.subTest(program):
                self.assertEqual(self.told[program], "0", "\n".join(lines[-60:]))


if __name__ == "__main__":
    harness.main()
