"""Tests the notifications to a service manager (systemd) on the socket of NOTIFY_SOCKET, and that the watchdog detects
a reader that does not run."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import tempfile
import time

import connector
import harness
import test_lost_subscription

WATCHDOG_SECONDS = 2
NOTIFY_INTERVAL_SECONDS = WATCHDOG_SECONDS / 2
SUBSCRIBED = "STATUS=subscribed to process events"
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL: also threads
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long] * 4
_libc.ptrace.restype = ctypes.c_long


class Manager:
    """The service manager's end of the socket. Records the received messages."""

    def __init__(self, name=None):
        self._folder = tempfile.TemporaryDirectory(prefix="procevent-e2e-")
        self.name = name or os.path.join(self._folder.name, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        self.messages = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._folder.cleanup()

    def receive(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.messages.append(self._socket.recv(4096).decode())
        return self.messages

    def count(self, message):
        return self.receive().count(message)

    def clear(self):
        self.receive()
        self.messages.clear()

    def environment(self, watchdog=True):
        variables = {"WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1000000)} if watchdog else {}
        return {"NOTIFY_SOCKET": self.name, **variables}


def ptrace(request, thread):
    if _libc.ptrace(request, thread, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@contextlib.contextmanager
def reader_stopped(pid):
    """Stops only the reader thread for as long as the `with` lasts."""
    for task in map(int, os.listdir(f"/proc/{pid}/task")):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as file:
            if file.read() == "pe-reader\n":
                reader = task
    ptrace(PTRACE_SEIZE, reader)
    ptrace(PTRACE_INTERRUPT, reader)
    os.waitpid(reader, WALL)
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH, reader)


class ServiceManager(harness.LiveTest):
    def test_ready_when_it_serves_and_is_subscribed(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.receive)
            self.assertEqual(manager.messages, [f"READY=1\n{SUBSCRIBED}"])
            self.assertEqual(exporter.get("/-/ready").status, 200)  # at once
            manager.clear()
            time.sleep(NOTIFY_INTERVAL_SECONDS * 2)
            self.assertEqual(manager.receive(), [], "no watchdog was requested")
            self.assertEqual(exporter.stop()[0], 0)
            self.assertEqual(manager.receive(), ["STOPPING=1"])

    def test_abstract_socket_name(self):
        with Manager(f"@procevent-e2e-{os.getpid()}") as manager, \
                harness.Exporter(environment=manager.environment(watchdog=False)):
            harness.wait_for("READY", manager.receive)
            self.assertEqual(manager.messages, [f"READY=1\n{SUBSCRIBED}"])

    def test_watchdog_notifications(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment()):
            harness.wait_for("READY", manager.receive)
            manager.clear()
            time.sleep(NOTIFY_INTERVAL_SECONDS * 4)
            count = manager.count("WATCHDOG=1")
            self.assertGreaterEqual(count, 3)
            self.assertLessEqual(count, 5)
            self.assertEqual(len(manager.messages), count)

    def test_ignores_the_watchdog_of_another_process(self):
        with Manager() as manager, \
                harness.Exporter(environment={**manager.environment(), "WATCHDOG_PID": "1"}):
            harness.wait_for("READY", manager.receive)
            time.sleep(NOTIFY_INTERVAL_SECONDS * 2)
            self.assertEqual(manager.count("WATCHDOG=1"), 0)

    def test_warns_of_an_invalid_watchdog(self):
        for name, wrong in (("unit", {"WATCHDOG_USEC": "2s"}), ("too short", {"WATCHDOG_USEC": "1999999"}),
                            ("negative PID", {"WATCHDOG_PID": "-5"})):
            with self.subTest(name), Manager() as manager, \
                    harness.Exporter(environment={**manager.environment(), **wrong}) as exporter:
                harness.wait_for("READY", manager.receive)
                time.sleep(NOTIFY_INTERVAL_SECONDS * 2)
                self.assertEqual(manager.receive(), [f"READY=1\n{SUBSCRIBED}"])
                variable, value = next(iter(wrong.items()))
                warnings = [line for line in exporter.log().splitlines() if "level=warning" in line]
                self.assertEqual(len(warnings), 1, exporter.log())
                self.assertIn(variable, warnings[0])
                self.assertIn(value, warnings[0])
                self.assertIn("no watchdog messages are sent", warnings[0])

    def test_stopped_reader_sends_no_watchdog_notifications(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment()) as exporter:
            exporter.wait_ready()
            harness.wait_for("a watchdog notification", lambda: manager.count("WATCHDOG=1"))
            with reader_stopped(exporter.pid()):
                time.sleep(0.1)  # for a notification in flight
                manager.clear()
                self.assertEqual(exporter.get("/-/healthy").status, 200)  # the other threads run
                time.sleep(WATCHDOG_SECONDS * 1.5)
                self.assertEqual(manager.count("WATCHDOG=1"), 0)
                self.assertEqual(manager.messages, ["STATUS=not ready: cannot receive process events: the reader does not answer; give the exporter more CPU"])
                manager.clear()
            harness.wait_for("a watchdog notification", lambda: manager.count("WATCHDOG=1"))
            self.assertEqual(manager.messages[0], SUBSCRIBED)

    def test_status_reports_a_failed_subscription(self):
        with Manager() as manager, \
                harness.Exporter(before_exec=harness.enter_new_network,
                                 environment=manager.environment(watchdog=False)):
            harness.wait_for("READY", manager.receive)
            self.assertIn("READY=1\nSTATUS=not ready: ", manager.messages[0])
            self.assertIn("--network host", manager.messages[0])

    def test_status_is_updated(self):
        self.addCleanup(connector.reset_listener_count)
        with Manager() as manager, \
                harness.Exporter(config="reader:\n  canary_interval: 1s\n",
                                 environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.receive)
            manager.clear()
            limits = resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE)
            with exporter.stopped():
                resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE, (3, limits[1]))  # prevents a new socket
                self.assertEqual(test_lost_subscription.end_subscriptions_as_nobody(), 0)
            harness.wait_for("a status", lambda: "Too many open files" in "".join(manager.receive()))
            other = [message for message in manager.messages if not message.startswith("STATUS=not ready: ")]
            self.assertEqual(other, [])
            manager.clear()
            resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE, limits)
            harness.wait_for("the new subscription", manager.receive)
            self.assertEqual(manager.messages, [SUBSCRIBED])

    def test_status_reports_pending_and_invalid_configurations(self):
        with Manager() as manager, harness.Exporter(config="log:\n  level: info\n",
                                                    environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.receive)
            for config, suffix in (("groups:\n  limit: 77\n", "; restart required for groups.limit"),
                                   ("groups:\n  limit: many\n", "; restart required for groups.limit; last configuration reload failed"),
                                   ("log:\n  level: info\n", "")):
                with self.subTest(config):
                    with open(exporter.config_file, "w", encoding="utf-8") as file:
                        file.write(config)
                    manager.clear()
                    os.kill(exporter.pid(), signal.SIGHUP)
                    harness.wait_for("the status", lambda: manager.count(f"READY=1\n{SUBSCRIBED}{suffix}") == 1)

    def test_wrong_socket_is_logged_once(self):
        with harness.Exporter(environment={"NOTIFY_SOCKET": "/no/such/socket", "WATCHDOG_USEC": "2000000"}) as exporter:
            exporter.wait_ready()
            time.sleep(NOTIFY_INTERVAL_SECONDS * 2)
            self.assertEqual(exporter.log().count("cannot notify the service manager"), 1)
            self.assertEqual(exporter.stop()[0], 0)
            self.assertEqual(exporter.log().count("level=warning"), 1)

    def test_no_wakeups_without_a_service_manager(self):
        with harness.Exporter(environment={"WATCHDOG_USEC": "2000000"}) as exporter:
            exporter.wait_ready()
            time.sleep(0.5)
            before = switches(exporter.pid())
            time.sleep(2)
            self.assertEqual(switches(exporter.pid()), before)


def switches(pid):
    """The number of voluntary context switches of the main thread, one per wake-up."""
    with open(f"/proc/{pid}/task/{pid}/status", encoding="ascii") as file:
        rows = dict(line.split(":\t", 1) for line in file)
    return int(rows["voluntary_ctxt_switches"])


if __name__ == "__main__":
    harness.main()
