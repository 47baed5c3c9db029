#!/usr/bin/env python3
"""Tests the seccomp profile of deploy/kubernetes with real runs, in which a forbidden call kills the exporter."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402
import under_seccomp  # noqa: E402

PROFILE = ROOT / "deploy/kubernetes/seccomp/procevent_exporter.json"
REPLAY = (f"--source.replay={ROOT / 'deploy/demo/demo.pcap'}", "--source.replay-loop=true", "--source.replay-speed=20")
UNNEEDED = {  # by a program that receives, reads and serves
    "bpf", "chmod", "chown", "clone3", "fork", "init_module", "io_uring_setup", "ioctl", "keyctl",
    "memfd_create", "mkdir", "mount", "perf_event_open", "pidfd_getfd", "process_vm_readv", "process_vm_writev",
    "ptrace", "reboot", "rename", "setns", "setuid", "socketpair", "unlink", "unshare", "userfaultfd", "vfork"}
FAMILIES = (socket.AF_INET, socket.AF_NETLINK, socket.AF_UNIX, socket.AF_INET6, socket.AF_PACKET)
# One call of each kind that the exporter needs. Without it the run must fail, which shows that the profile is enforced.
NEEDED = ("capset", "epoll_create1", "eventfd2", "listen", "openat", "signalfd4")


def profile():
    with open(PROFILE, encoding="utf-8") as file:
        return json.load(file)


def is_refused(family):
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM):
        return False
    return True


def under(path, action="kill"):
    return (sys.executable, "-B", under_seccomp.__file__, str(path), action)


def use(test, exporter):
    """Probes, scrapes, reloads and briefly stops the exporter, as happens in a deployment."""
    with exporter.stopped():
        pass
    for path, headers in (("/", {}), ("/-/healthy", {}), ("/metrics", {}), ("/metrics", {"Accept-Encoding": "gzip"}),
                          ("/-/ready", {})):
        test.assertIn(exporter.get(path, headers=headers).status, (200, 503))
    os.kill(exporter.pid(), signal.SIGHUP)
    harness.wait_for("the reload", lambda: "configuration reloaded" in exporter.log())
    with open(f"/proc/{exporter.pid()}/status", encoding="ascii") as file:
        test.assertIn("Seccomp:\t2\n", file)


class Profile(unittest.TestCase):
    def test_unneeded_calls_are_not_allowed(self):
        self.assertEqual(profile()["defaultAction"], "SCMP_ACT_ERRNO")
        allowing = [rule for rule in profile()["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
        self.assertEqual({name for rule in allowing for name in rule["names"]} & UNNEEDED, set())
        self.assertEqual([rule["args"][0]["value"] for rule in profile()["syscalls"] if rule["names"] == ["socket"]],
                         [2, 16])  # AF_INET, AF_NETLINK

    def test_names_are_sorted(self):
        for rule in profile()["syscalls"]:
            self.assertEqual(rule["names"], sorted(set(rule["names"])))


class Replaying(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(under_seccomp.skip_reason())

    def test_replay_runs(self):
        for action in ("kill", "errno"):
            with self.subTest(action), harness.Exporter(*REPLAY, prefix=under(PROFILE, action)) as exporter:
                exporter.wait_ready()
                use(self, exporter)
                self.assertNotIn("level=warning", exporter.log())

    def test_health_check_runs(self):
        """In a container the health check runs under the same profile."""
        with harness.Exporter(*REPLAY) as exporter:
            exporter.wait_ready()
            done = subprocess.run([*under(PROFILE), harness.exporter_binary(), "healthcheck",
                                   f"--web.listen-address=127.0.0.1:{exporter.port}"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "healthy\n"))

    def test_missing_call_kills(self):
        for name in NEEDED:
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="procevent-seccomp-") as directory:
                lacking = profile()
                lacking["syscalls"][0]["names"].remove(name)
                path = pathlib.Path(directory, "profile.json")
                path.write_text(json.dumps(lacking), encoding="utf-8")
                done = subprocess.run([*under(path), harness.exporter_binary(), *REPLAY,
                                       f"--web.listen-address=127.0.0.1:{harness.free_port()}"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      timeout=harness.DEADLINE_SECONDS, check=False)
                self.assertEqual(done.returncode, -signal.SIGSYS)

    def test_other_socket_families_are_refused(self):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                under_seccomp.load(profile(), kills=False)
                os._exit(sum(is_refused(family) << bit for bit, family in enumerate(FAMILIES)))
            os._exit(255)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0b11100)


class Unsubscribed(unittest.TestCase):
    def test_runs_without_subscription(self):
        """In another network namespace the socket exists, but each subscription is refused."""
        harness.require(under_seccomp.skip_reason() or (None if os.geteuid() == 0 else "not root"))
        with harness.Exporter(prefix=under(PROFILE), before_exec=harness.enter_new_network) as exporter:
            self.assertEqual(harness.wait_for("an answer", exporter.readiness).status, 503)
            use(self, exporter)
            self.assertIn("this is not the host's network namespace", exporter.log())


class Subscribed(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(under_seccomp.skip_reason())

    def test_runs_with_subscription_and_losses(self):
        """The run reads names from /proc, sends canaries on every CPU, and unsubscribes at the end."""
        with harness.Exporter(prefix=under(PROFILE), config="source: {receive_buffer: 64KiB}") as exporter:
            exporter.wait_ready()
            with harness.Storm("exec", 200) as storm, exporter.stopped():
                storm.wait()
            harness.wait_for("a loss", lambda: exporter.scrape().sum("procevent_events_lost_total") > 0)
            use(self, exporter)
            self.assertGreater(exporter.scrape().sum("procevent_execs_total"), 0)

    def test_doctor_runs(self):
        done = subprocess.run([*under(PROFILE), harness.exporter_binary(), "doctor",
                               f"--web.listen-address=127.0.0.1:{harness.free_port()}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    harness.main()
