#!/usr/bin/env python3
"""Tests deploy/systemd: systemd accepts the unit, its exposure is low, and its filters permit the exporter's calls."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402

UNIT = ROOT / "deploy" / "systemd" / "procevent_exporter.service"
DEMO = ROOT / "deploy" / "demo" / "demo.pcap"
HOSTS_UNITS = "/lib/systemd/system"  # units that the exporter's unit refers to
MAX_EXPOSURE = 2.5
MANAGED = {"NOTIFY_SOCKET": "/no/such/socket", "WATCHDOG_USEC": "2000000"}  # as systemd sets; no socket is needed
# Required values; None: must not be set. Otherwise events, names or the fork audit are lost, or scrapes fail.
REQUIRED = {"PrivateNetwork": "no", "PrivateUsers": "no", "PrivatePIDs": "no", "ProtectProc": "default",
            "ProcSubset": "all", "NetworkNamespacePath": None, "InaccessiblePaths": None, "IPAddressDeny": None,
            "RootDirectory": None, "RootImage": None}


def settings(text):
    """Key and value of each line. A key may occur several times."""
    return re.findall(r"(?m)^(\w+)=(.*)$", text)


def values(text, key):
    return [value for name, value in settings(text) if name == key]


def harmful(text):
    return [f"{key}={value}" for key, value in settings(text) if key in REQUIRED and value != REQUIRED[key]]


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.DEADLINE_SECONDS, env={**os.environ, "SYSTEMD_PAGER": "cat"},
                          check=False)


def call_groups():
    """The members of each of systemd's call groups, such as @process. Groups may contain groups."""
    groups = {}
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            group = groups.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            group.append(line.strip())
    return groups


def expand(name, groups):
    return {name} if not name.startswith("@") else {call for part in groups[name] for call in expand(part, groups)}


def permitted(filters, groups):
    """The calls that the SystemCallFilter= lines permit. systemd adds @default to an allow list."""
    calls = expand("@default", groups)
    for line in filters:
        named = {call for name in line.removeprefix("~").split() for call in expand(name, groups)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


class Unit(unittest.TestCase):
    """Verifies the unit in a root folder that contains the binary at the unit's path."""

    @classmethod
    def setUpClass(cls):
        harness.require(None if shutil.which("systemd-analyze") else "systemd-analyze is not installed")
        cls.text = UNIT.read_text(encoding="utf-8")

    def verify(self, text):
        with tempfile.TemporaryDirectory(prefix="procevent-unit-") as folder:
            root = pathlib.Path(folder)
            shutil.copytree(HOSTS_UNITS, root / "usr/lib/systemd/system", symlinks=True)
            (root / "usr/bin").mkdir()
            for name, target in (("bin", "usr/bin"), ("lib", "usr/lib")):
                (root / name).symlink_to(target)
            shutil.copy(shutil.which("sh"), root / "usr/bin/sh")
            shutil.copy(harness.exporter_binary(), root / "usr/bin/procevent_exporter")
            (root / "usr/lib/systemd/system" / UNIT.name).write_text(text, encoding="utf-8")
            return analyze("verify", f"--root={root}", UNIT.name)

    def test_systemd_accepts_the_unit(self):
        done = self.verify(self.text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_description(self):
        self.assertEqual(values(self.text, "Description"), ["Prometheus exporter for Linux process events"])

    def test_planted_faults_are_found(self):
        for old, new, message in (("WatchdogSec=", "WatchDogSec=", "Unknown key"),
                                  ("/usr/bin/procevent_exporter", "/usr/bin/elsewhere", "not executable"),
                                  ("ProtectProc=default", "ProtectProc=defaults", "parse"),
                                  ("=capset", "=capsett", "parse")):
            with self.subTest(new):
                self.assertIn(message, self.verify(self.text.replace(old, new)).stderr)

    def test_exposure_is_low(self):
        done = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE * 10:.0f}", UNIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout).group(1))
        print(f"exposure {exposure}", file=sys.stderr)
        self.assertLess(exposure, MAX_EXPOSURE)

    def test_required_settings(self):
        self.assertEqual(harmful(self.text), [])
        self.assertEqual(values(self.text, "Type"), ["notify"])
        self.assertEqual(values(self.text, "ProtectProc") + values(self.text, "ProcSubset"), ["default", "all"])
        self.assertEqual(values(self.text, "AmbientCapabilities"), ["CAP_NET_ADMIN"])
        self.assertLessEqual({"AF_NETLINK", "AF_INET", "AF_UNIX"},
                             set(values(self.text, "RestrictAddressFamilies")[0].split()))
        for planted in ("PrivateNetwork=yes", "PrivateUsers=yes", "ProtectProc=invisible", "ProcSubset=pid"):
            with self.subTest(planted):
                self.assertEqual(harmful(f"{self.text}\n[Service]\n{planted}\n"), [planted])


class SystemCalls(unittest.TestCase):
    """Compares the system calls recorded by strace with the permitted ones."""

    @classmethod
    def setUpClass(cls):
        missing = [name for name in ("systemd-analyze", "strace") if not shutil.which(name)]
        harness.require(f"not installed: {', '.join(missing)}" if missing else None)
        folder = tempfile.TemporaryDirectory(prefix="procevent-calls-")
        cls.addClassCleanup(folder.cleanup)
        cls.output = pathlib.Path(folder.name) / "strace"
        cls.groups = call_groups()
        text = UNIT.read_text(encoding="utf-8")
        cls.filters = values(text, "SystemCallFilter")
        cls.families = set(values(text, "RestrictAddressFamilies")[0].split())
        cls.prefix = ["strace", "-f", "-qq", "-o", str(cls.output)]

    def check(self, *made):
        """All calls since the last check are permitted, and include the expected ones."""
        text = self.output.read_text(encoding="utf-8", errors="replace")
        self.output.unlink()
        calls = set(re.findall(r"(?m)^\d+ +(\w+)\(", text))
        self.assertLessEqual(set(made), calls, "the run lacks expected calls")
        self.assertEqual(calls - permitted(self.filters, self.groups), set(), "forbidden by SystemCallFilter")
        families = set(re.findall(r"(?m)^\d+ +socket\((\w+)", text))
        self.assertEqual(families - self.families, set(), "forbidden by RestrictAddressFamilies")
        executable = r"(?m)^\d+ +(?:mmap\(.*PROT_WRITE.*PROT_EXEC|(?:mprotect|pkey_mprotect)\(.*PROT_EXEC).*"
        self.assertEqual(re.findall(executable, text), [], "forbidden by MemoryDenyWriteExecute")

    def exercise(self, exporter):
        """Scrapes, pages and a reload."""
        exporter.wait_ready()
        self.assertEqual(exporter.get("/metrics", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"],
                         "gzip")
        for path in ("/metrics", "/", "/-/healthy", "/no/such/page"):
            exporter.get(path)
        os.kill(exporter.pid(), signal.SIGHUP)
        harness.wait_for("the reload", lambda: "configuration reloaded" in exporter.log())

    def test_replay(self):
        with harness.Exporter(f"--source.replay={DEMO}", "--source.replay-loop=true", prefix=self.prefix,
                              environment=MANAGED) as exporter:
            self.exercise(exporter)
        self.check("capset", "signalfd4", "clone3", "accept", "read")

    def test_reload_command(self):
        reload = values(UNIT.read_text(encoding="utf-8"), "ExecReload")[0]
        with subprocess.Popen(["sleep", "60"]) as main:
            subprocess.run([*self.prefix, *shlex.split(reload.replace("$MAINPID", str(main.pid)))], check=True,
                           timeout=harness.DEADLINE_SECONDS)
            self.assertEqual(main.wait(harness.DEADLINE_SECONDS), -signal.SIGHUP)
        self.check("kill")

    def test_subscription_with_losses(self):
        harness.require(harness.live_skip_reason())
        config = "source:\n  receive_buffer: 64KiB\nreader:\n  canary_interval: 1s\n"
        with harness.Exporter(config=config, prefix=self.prefix, environment=MANAGED) as exporter:
            exporter.wait_ready()
            with harness.Storm("fork", 20000) as storm:
                storm.wait()
            harness.wait_for("a loss", lambda: exporter.scrape().sum("procevent_events_lost_total") > 0)
            self.exercise(exporter)
        self.check("capset", "recvmmsg", "sched_setaffinity")

    def test_doctor(self):
        harness.require(harness.live_skip_reason())
        done = subprocess.run([*self.prefix, harness.exporter_binary(), "doctor",
                               f"--web.listen-address=127.0.0.1:{harness.free_port()}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertIn("subscription", done.stdout, done.stderr)
        self.check("recvmmsg", "wait4")

    def test_missing_calls_are_found(self):
        for name, filters, refused in (("the groups alone", self.filters[:2], {"capset", "sched_setaffinity"}),
                                       ("no network", [*self.filters, "~@network-io"], {"socket", "recvmmsg"}),
                                       ("names", ["read write"], {"socket", "capset", "sched_setaffinity"})):
            with self.subTest(name):
                needed = {"read", "socket", "recvmmsg", "capset", "sched_setaffinity", "execve", "futex"}
                self.assertLessEqual(refused, needed - permitted(filters, self.groups))
        dangerous = {"ptrace", "bpf", "mount", "keyctl", "setuid", "perf_event_open", "io_uring_setup", "init_module"}
        self.assertEqual(dangerous & permitted(self.filters, self.groups), set())


if __name__ == "__main__":
    harness.main()
