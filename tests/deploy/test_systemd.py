#!/usr/bin/env python3
"""deploy/systemd: the unit as systemd reads it, what it leaves exposed, and that its filter of system calls leaves all
that the exporter calls."""

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
HOSTS_UNITS = "/lib/systemd/system"  # those that ours is ordered by
MOST_EXPOSED = 2.5
MANAGED = {"NOTIFY_SOCKET": "/no/such/socket", "WATCHDOG_USEC": "2000000"}  # as systemd does; nobody need listen
# With another value (None: whatever it is) events, names or the audit of forks would be lost, or nobody could scrape.
NEVER = {"PrivateNetwork": "no", "PrivateUsers": "no", "PrivatePIDs": "no", "ProtectProc": "default",
         "ProcSubset": "all", "NetworkNamespacePath": None, "InaccessiblePaths": None, "IPAddressDeny": None,
         "RootDirectory": None, "RootImage": None}


def settings(text):
    """Key and value of each line; a key may stand there several times."""
    return re.findall(r"(?m)^(\w+)=(.*)$", text)


def values(text, key):
    return [value for name, value in settings(text) if name == key]


def harmful(text):
    return [f"{key}={value}" for key, value in settings(text) if key in NEVER and value != NEVER[key]]


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.DEADLINE_SECONDS, env={**os.environ, "SYSTEMD_PAGER": "cat"},
                          check=False)


def groups_of_calls():
    """systemd's groups, such as @process: what each holds, groups among it."""
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
    """What such lines of SystemCallFilter= leave; systemd adds @default to a list of what is allowed."""
    calls = expand("@default", groups)
    for line in filters:
        named = {call for name in line.removeprefix("~").split() for call in expand(name, groups)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


class Unit(unittest.TestCase):
    """A root of our own, in which the binary is where the unit looks for it."""

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

    def test_systemd_finds_no_fault(self):
        done = self.verify(self.text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_faults_are_found(self):
        for old, new, told in (("WatchdogSec=", "WatchDogSec=", "Unknown key"),
                               ("/usr/bin/procevent_exporter", "/usr/bin/elsewhere", "not executable"),
                               ("ProtectProc=default", "ProtectProc=defaults", "parse"),
                               ("=capset", "=capsett", "parse")):
            with self.subTest(new):
                self.assertIn(told, self.verify(self.text.replace(old, new)).stderr)

    def test_little_is_exposed(self):
        done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", UNIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout).group(1))
        print(f"exposure {exposure}", file=sys.stderr)
        self.assertLess(exposure, MOST_EXPOSED)

    def test_it_may_hear_and_see_what_it_must(self):
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
    """What the binary calls, as strace saw it, against what the filter leaves."""

    @classmethod
    def setUpClass(cls):
        missing = [name for name in ("systemd-analyze", "strace") if not shutil.which(name)]
        harness.require(f"not installed: {', '.join(missing)}" if missing else None)
        folder = tempfile.TemporaryDirectory(prefix="procevent-calls-")
        cls.addClassCleanup(folder.cleanup)
        cls.output = pathlib.Path(folder.name) / "strace"
        cls.groups = groups_of_calls()
        text = UNIT.read_text(encoding="utf-8")
        cls.filters = values(text, "SystemCallFilter")
        cls.families = set(values(text, "RestrictAddressFamilies")[0].split())
        cls.prefix = ["strace", "-f", "-qq", "-o", str(cls.output)]

    def check(self, *made):
        """All that was called since the last time is permitted, and what was to be called is among it."""
        text = self.output.read_text(encoding="utf-8", errors="replace")
        self.output.unlink()
        calls = set(re.findall(r"(?m)^\d+ +(\w+)\(", text))
        self.assertLessEqual(set(made), calls, "this run did not do what it was for")
        self.assertEqual(calls - permitted(self.filters, self.groups), set(), "SystemCallFilter refuses them")
        families = set(re.findall(r"(?m)^\d+ +socket\((\w+)", text))
        self.assertEqual(families - self.families, set(), "RestrictAddressFamilies refuses them")
        executable = r"(?m)^\d+ +(?:mmap\(.*PROT_WRITE.*PROT_EXEC|(?:mprotect|pkey_mprotect)\(.*PROT_EXEC).*"
        self.assertEqual(re.findall(executable, text), [], "MemoryDenyWriteExecute refuses them")

    def exercise(self, exporter):
        """Scrapes, a page, a reload, a stop."""
        exporter.wait_ready()
        self.assertEqual(exporter.get("/metrics", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"],
                         "gzip")
        for path in ("/metrics", "/", "/-/healthy", "/no/such/page"):
            exporter.get(path)
        os.kill(exporter.pid(), signal.SIGHUP)
        harness.wait_for("the reload", lambda: "read again" in exporter.log())

    def test_a_replay(self):
        with harness.Exporter(f"--source.replay={DEMO}", "--source.replay-loop=true", prefix=self.prefix,
                              environment=MANAGED) as exporter:
            self.exercise(exporter)
        self.check("capset", "signalfd4", "clone3", "accept", "read")

    def test_the_command_that_reloads(self):
        reload = values(UNIT.read_text(encoding="utf-8"), "ExecReload")[0]
        with subprocess.Popen(["sleep", "60"]) as main:
            subprocess.run([*self.prefix, *shlex.split(reload.replace("$MAINPID", str(main.pid)))], check=True,
                           timeout=harness.DEADLINE_SECONDS)
            self.assertEqual(main.wait(harness.DEADLINE_SECONDS), -signal.SIGHUP)
        self.check("kill")

    def test_a_listener_that_loses_events(self):
        harness.require(harness.why_not_live())
        config = "source:\n  receive_buffer: 64KiB\nreader:\n  canary_interval: 1s\n"
        with harness.Exporter(config=config, prefix=self.prefix, environment=MANAGED) as exporter:
            exporter.wait_ready()
            with harness.Storm("fork", 20000) as storm:
                storm.wait()
            harness.wait_for("a loss", lambda: exporter.scrape().sum("procevent_events_lost_total") > 0)
            self.exercise(exporter)
        self.check("capset", "recvmmsg", "sched_setaffinity")

    def test_doctor(self):
        harness.require(harness.why_not_live())
        done = subprocess.run([*self.prefix, harness.exporter_binary(), "doctor",
                               f"--web.listen-address=127.0.0.1:{harness.free_port()}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertIn("subscription", done.stdout, done.stderr)
        self.check("recvmmsg", "wait4")

    def test_what_the_filter_lacks_is_found(self):
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
