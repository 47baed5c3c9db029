"""The exporter under a service manager (systemd): what it tells on the socket that NOTIFY_SOCKET names, and that a
reader which stands still gets it restarted."""

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
import test_silence

WATCHDOG_SECONDS = 2
BEATS_EVERY_SECONDS = WATCHDOG_SECONDS / 2
HEARING = "STATUS=hearing the kernel's process events"
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL: threads, too
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long] * 4
_libc.ptrace.restype = ctypes.c_long


class Manager:
    """The other end: takes what is told, and when."""

    def __init__(self, name=None):
        self._folder = tempfile.TemporaryDirectory(prefix="procevent-e2e-")
        self.name = name or os.path.join(self._folder.name, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._folder.cleanup()

    def take(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told.append(self._socket.recv(4096).decode())
        return self.told

    def count(self, message):
        return self.take().count(message)

    def forget(self):
        self.take()
        self.told.clear()

    def environment(self, watchdog=True):
        watch = {"WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1000000)} if watchdog else {}
        return {"NOTIFY_SOCKET": self.name, **watch}


def ptrace(request, thread):
    if _libc.ptrace(request, thread, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@contextlib.contextmanager
def reader_stopped(pid):
    """That thread alone does not run for as long as the `with` lasts."""
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
    def test_it_is_ready_when_it_serves_and_hears(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.take)
            self.assertEqual(manager.told, [f"READY=1\n{HEARING}"])
            self.assertEqual(exporter.get("/-/ready").status, 200)  # at once
            manager.forget()
            time.sleep(BEATS_EVERY_SECONDS * 2)
            self.assertEqual(manager.take(), [], "told unasked")
            self.assertEqual(exporter.stop()[0], 0)
            self.assertEqual(manager.take(), ["STOPPING=1"])

    def test_an_abstract_name(self):
        with Manager(f"@procevent-e2e-{os.getpid()}") as manager, \
                harness.Exporter(environment=manager.environment(watchdog=False)):
            harness.wait_for("READY", manager.take)
            self.assertEqual(manager.told, [f"READY=1\n{HEARING}"])

    def test_it_beats(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment()):
            harness.wait_for("READY", manager.take)
            manager.forget()
            time.sleep(BEATS_EVERY_SECONDS * 4)
            beats = manager.count("WATCHDOG=1")
            self.assertGreaterEqual(beats, 3)
            self.assertLessEqual(beats, 5)
            self.assertEqual(len(manager.told), beats)

    def test_another_ones_watchdog_is_not_ours(self):
        with Manager() as manager, \
                harness.Exporter(environment={**manager.environment(), "WATCHDOG_PID": "1"}):
            harness.wait_for("READY", manager.take)
            time.sleep(BEATS_EVERY_SECONDS * 2)
            self.assertEqual(manager.count("WATCHDOG=1"), 0)

    def test_a_watchdog_that_cannot_be_obeyed_is_warned_of(self):
        for name, wrong in (("a unit", {"WATCHDOG_USEC": "2s"}), ("too short", {"WATCHDOG_USEC": "1999999"}),
                            ("no number of a process", {"WATCHDOG_PID": "-5"})):
            with self.subTest(name), Manager() as manager, \
                    harness.Exporter(environment={**manager.environment(), **wrong}) as exporter:
                harness.wait_for("READY", manager.take)
                time.sleep(BEATS_EVERY_SECONDS * 2)
                self.assertEqual(manager.take(), [f"READY=1\n{HEARING}"])
                variable, value = next(iter(wrong.items()))
                warnings = [line for line in exporter.log().splitlines() if "level=warning" in line]
                self.assertEqual(len(warnings), 1, exporter.log())
                self.assertIn(variable, warnings[0])
                self.assertIn(value, warnings[0])
                self.assertIn("no beats are sent", warnings[0])

    def test_a_reader_that_stands_still_is_not_called_alive(self):
        with Manager() as manager, harness.Exporter(environment=manager.environment()) as exporter:
            exporter.wait_ready()
            harness.wait_for("a beat", lambda: manager.count("WATCHDOG=1"))
            with reader_stopped(exporter.pid()):
                time.sleep(0.1)  # for a beat that was on its way
                manager.forget()
                self.assertEqual(exporter.get("/-/healthy").status, 200)  # all others run
                time.sleep(WATCHDOG_SECONDS * 1.5)
                self.assertEqual(manager.count("WATCHDOG=1"), 0)
                self.assertEqual(manager.told, ["STATUS=not ready: the reader does not answer"])
                manager.forget()
            harness.wait_for("a beat", lambda: manager.count("WATCHDOG=1"))
            self.assertEqual(manager.told[0], HEARING)

    def test_the_status_says_when_the_kernel_is_not_heard(self):
        with Manager() as manager, \
                harness.Exporter(before_exec=harness.enter_new_network,
                                 environment=manager.environment(watchdog=False)):
            harness.wait_for("READY", manager.take)
            self.assertIn("READY=1\nSTATUS=not ready: ", manager.told[0])
            self.assertIn("--network host", manager.told[0])

    def test_the_status_is_renewed(self):
        self.addCleanup(connector.forget_the_dead)
        with Manager() as manager, \
                harness.Exporter(config="reader:\n  canary_interval: 1s\n",
                                 environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.take)
            manager.forget()
            limits = resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE)
            with exporter.stopped():
                resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE, (3, limits[1]))  # no fresh socket, for now
                self.assertEqual(test_silence.end_subscriptions_as_nobody(), 0)
            harness.wait_for("a status", lambda: "Too many open files" in "".join(manager.take()))
            self.assertEqual([message for message in manager.told if not message.startswith("STATUS=not ready: ")], [])
            manager.forget()
            resource.prlimit(exporter.pid(), resource.RLIMIT_NOFILE, limits)
            harness.wait_for("the kernel to be heard again", manager.take)
            self.assertEqual(manager.told, [HEARING])

    def test_the_status_says_what_of_a_reload_is_not_in_force(self):
        with Manager() as manager, harness.Exporter(config="log:\n  level: info\n",
                                                    environment=manager.environment(watchdog=False)) as exporter:
            harness.wait_for("READY", manager.take)
            for config, remark in (("comms:\n  limit: 77\n", "; restart to take over: comms.limit"),
                                   ("comms:\n  limit: many\n", "; restart to take over: comms.limit; the configuration read last is faulty"),
                                   ("log:\n  level: info\n", "")):
                with self.subTest(config):
                    with open(exporter.config_file, "w", encoding="utf-8") as file:
                        file.write(config)
                    manager.forget()
                    os.kill(exporter.pid(), signal.SIGHUP)
                    harness.wait_for("the status", lambda: manager.count(f"READY=1\n{HEARING}{remark}") == 1)

    def test_a_wrong_socket_stops_nobody(self):
        with harness.Exporter(environment={"NOTIFY_SOCKET": "/no/such/socket", "WATCHDOG_USEC": "2000000"}) as exporter:
            exporter.wait_ready()
            time.sleep(BEATS_EVERY_SECONDS * 2)
            self.assertEqual(exporter.log().count("cannot tell the service manager"), 1)
            self.assertEqual(exporter.stop()[0], 0)
            self.assertEqual(exporter.log().count("level=warning"), 1)

    def test_without_one_nobody_wakes(self):
        with harness.Exporter(environment={"WATCHDOG_USEC": "2000000"}) as exporter:
            exporter.wait_ready()
            time.sleep(0.5)
            before = switches(exporter.pid())
            time.sleep(2)
            self.assertEqual(switches(exporter.pid()), before)


def switches(pid):
    """How often the main thread has slept: each wake-up ends in one more."""
    with open(f"/proc/{pid}/task/{pid}/status", encoding="ascii") as file:
        rows = dict(line.split(":\t", 1) for line in file)
    return int(rows["voluntary_ctxt_switches"])


if __name__ == "__main__":
    harness.main()
