#!/usr/bin/env python3
"""The seccomp profile of deploy/kubernetes on real runs of the exporter: what it does not allow kills at once."""

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
UNNEEDED = {  # by who only listens, reads and answers
    "bpf", "chmod", "chown", "clone3", "fork", "init_module", "io_uring_setup", "ioctl", "keyctl",
    "memfd_create", "mkdir", "mount", "perf_event_open", "pidfd_getfd", "process_vm_readv", "process_vm_writev",
    "ptrace", "reboot", "rename", "setns", "setuid", "socketpair", "unlink", "unshare", "userfaultfd", "vfork"}
FAMILIES = (socket.AF_INET, socket.AF_NETLINK, socket.AF_UNIX, socket.AF_INET6, socket.AF_PACKET)
# One of each of its trades, without which it cannot run: to see that the profile is in force.
NEEDED = ("capset", "epoll_create1", "eventfd2", "listen", "openat", "signalfd4")


def profile():
    with open(PROFILE, encoding="utf-8") as file:
        return json.load(file)


def refused(family):
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM):
        return False
    return True


def under(path, action="kill"):
    return (sys.executable, "-B", under_seccomp.__file__, str(path), action)


def use(test, exporter):
    """All that is done to it where it is deployed: probed, scraped, reloaded, frozen for an instant."""
    with exporter.stopped():
        pass
    for path, headers in (("/", {}), ("/-/healthy", {}), ("/metrics", {}), ("/metrics", {"Accept-Encoding": "gzip"}),
                          ("/-/ready", {})):
        test.assertIn(exporter.get(path, headers=headers).status, (200, 503))
    os.kill(exporter.pid(), signal.SIGHUP)
    harness.wait_for("the reload", lambda: "the configuration was read again" in exporter.log())
    with open(f"/proc/{exporter.pid()}/status", encoding="ascii") as file:
        test.assertIn("Seccomp:\t2\n", file)


class Profile(unittest.TestCase):
    def test_what_it_does_not_need_is_not_allowed(self):
        self.assertEqual(profile()["defaultAction"], "SCMP_ACT_ERRNO")
        allowing = [rule for rule in profile()["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
        self.assertEqual({name for rule in allowing for name in rule["names"]} & UNNEEDED, set())
        self.assertEqual([rule["args"][0]["value"] for rule in profile()["syscalls"] if rule["names"] == ["socket"]],
                         [2, 16])  # AF_INET, AF_NETLINK

    def test_the_names_are_in_order(self):
        for rule in profile()["syscalls"]:
            self.assertEqual(rule["names"], sorted(set(rule["names"])))


class Replaying(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(under_seccomp.why_not())

    def test_a_run(self):
        for action in ("kill", "errno"):
            with self.subTest(action), harness.Exporter(*REPLAY, prefix=under(PROFILE, action)) as exporter:
                exporter.wait_ready()
                use(self, exporter)
                self.assertNotIn("level=warning", exporter.log())

    def test_the_health_check(self):
        """Which runs in a container under the profile of what it asks."""
        with harness.Exporter(*REPLAY) as exporter:
            exporter.wait_ready()
            done = subprocess.run([*under(PROFILE), harness.exporter_binary(), "healthcheck",
                                   f"--web.listen-address=127.0.0.1:{exporter.port}"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "healthy\n"))

    def test_what_is_missing_is_found(self):
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

    def test_other_sockets_are_refused(self):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                under_seccomp.load(profile(), kills=False)
                os._exit(sum(refused(family) << bit for bit, family in enumerate(FAMILIES)))
            os._exit(255)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0b11100)


class Deaf(unittest.TestCase):
    def test_where_nothing_is_heard(self):
        """In another network the kernel gives it the socket, and refuses the subscription again and again."""
        harness.require(under_seccomp.why_not() or (None if os.geteuid() == 0 else "it needs root"))
        with harness.Exporter(prefix=under(PROFILE), before_exec=harness.enter_new_network) as exporter:
            self.assertEqual(harness.wait_for("an answer", exporter.readiness).status, 503)
            use(self, exporter)
            self.assertIn("this is not the host's network namespace", exporter.log())


class Listening(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(under_seccomp.why_not())

    def test_where_events_are_heard(self):
        """Names are looked for in /proc, losses searched for on every CPU, and the kernel told of the end."""
        with harness.Exporter(prefix=under(PROFILE), config="source: {receive_buffer: 64KiB}") as exporter:
            exporter.wait_ready()
            with harness.Storm("exec", 200) as storm, exporter.stopped():
                storm.wait()
            harness.wait_for("a loss", lambda: exporter.scrape().sum("procevent_events_lost_total") > 0)
            use(self, exporter)
            self.assertGreater(exporter.scrape().sum("procevent_execs_total"), 0)

    def test_doctor(self):
        done = subprocess.run([*under(PROFILE), harness.exporter_binary(), "doctor",
                               f"--web.listen-address=127.0.0.1:{harness.free_port()}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    harness.main()
