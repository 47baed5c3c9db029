#!/usr/bin/env python3
"""Tests the Debian package in an emulated machine with systemd and Debian's kernel, which is older than most others.

probe.sh runs in the machine: it checks the unit, counts a storm, runs the live tests, and upgrades, removes, purges and
installs the package. PROCEVENT_BOOT_LOG names a file for the machine's output.
"""

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
Description=Test of the exporter
After=procevent_exporter.service

[Service]
Type=oneshot
ExecStart=/opt/probe/probe.sh
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
"""
# A drop-in that makes forbidden system calls kill the process instead of failing.
KILL_ON_FORBIDDEN = """\
[Service]
SystemCallErrorNumber=kill
"""
SIGSYS = 31


def set_up(root, package):
    """Makes the root bootable, and installs the package and the probe."""
    root.run("apt-get", "-q", "install", "-y", "--no-install-recommends", "systemd-sysv", "kmod")
    root.install(package)
    probe = root.path / "opt" / "probe"
    probe.mkdir(parents=True)
    build = pathlib.Path(harness.program("PROCEVENT_STORM")).parents[2]
    (root.path / "tmp" / package.name).unlink()
    for program in (package, pathlib.Path(__file__).with_name("probe.sh"), harness.program("PROCEVENT_STORM"),
                    build / "tests/bench/tiny", build / "tests/live/live_test",
                    build / "tests/live/process_tracker_live_test", build / "tests/live/workload"):
        shutil.copy(program, probe)
    units = root.path / "etc/systemd/system"
    (units / "probe.service").write_text(PROBE, encoding="ascii")
    (units / "procevent_exporter.service.d").mkdir()
    (units / "procevent_exporter.service.d" / "kill.conf").write_text(KILL_ON_FORBIDDEN, encoding="ascii")
    root.run("systemctl", "enable", "probe.service")
    return machine.put_kernel(root)


class Boot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(machine.skip_reason())
        fresh_root.own_mounts()
        package = debian_package.build()
        with tempfile.TemporaryDirectory(prefix="procevent-boot-") as folder, fresh_root.FreshRoot() as root:
            log = pathlib.Path(os.environ.get("PROCEVENT_BOOT_LOG", f"{folder}/log"))
            machine.boot(root, set_up(root, package), folder, log)
            cls.output = log.read_text(encoding="utf-8", errors="replace")
        cls.results = dict(re.findall(r"(?m)^PROBE ([\w-]+)=(.*?)\r?$", cls.output))

    def setUp(self):
        self.assertEqual(self.results.get("end"), "1", f"the probe did not finish:\n{self.output[-6000:]}")

    def test_kernel_is_older(self):
        print(f"Linux {self.results['kernel']}", flush=True)
        self.assertTrue(self.results["kernel"].startswith("6.1."), self.results["kernel"])

    def test_unit_starts(self):
        self.assertEqual(self.results["state"], "active", self.output[-6000:])
        self.assertIn("200 OK", self.results["ready"])
        self.assertEqual((self.results["listening"], self.results["reload"]), ("1", "1"))
        self.assertNotIn(self.results["user"], ("root", ""))
        self.assertTrue(self.results["status"])

    def test_storm_is_counted(self):
        self.assertEqual(int(self.results["forks"]), json.loads(self.results["storm"])["forks"])
        self.assertEqual(self.results["lost"], "0")

    def test_unit_stops(self):
        self.assertEqual((self.results["stopped"], self.results["restarts"]), ("success", "0"))

    def test_filter_permits_all_calls(self):
        self.assertEqual((self.results["state"], self.results["restarts"]), ("active", "0"))
        self.assertEqual(self.results["planted"], str(SIGSYS), "a forbidden call did not kill the process")

    def test_package_upgrade_remove_purge_install(self):
        steps = {name: code for name, code in self.results.items() if name.startswith("dpkg--")}
        self.assertEqual(steps, {"dpkg--install": "0", "dpkg--remove": "0", "dpkg--purge": "0"})
        before, after = re.fullmatch(r"active from (\d+) to (\d+)", self.results["upgraded"]).groups()
        self.assertNotIn(after, (before, "0"))
        self.assertEqual(self.results["removed"], "inactive not-found ended")
        self.assertEqual(self.results["left"], "")
        self.assertEqual(self.results["installed"], "active enabled")

    def test_live_tests_pass(self):
        for program in ("live_test", "process_tracker_live_test"):
            lines = re.findall(rf"(?m)^PROBE {program}: (.*?)\r?$", self.output)
            with self.subTest(program):
                self.assertEqual(self.results[program], "0", "\n".join(lines[-60:]))


if __name__ == "__main__":
    harness.main()
