"""Starts, scrapes and stops the exporter and the storm for the end-to-end tests."""

import collections
import contextlib
import ctypes
import fcntl
import functools
import http.client
import json
import os
import random
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import connector
import event_counter
import samples

DEADLINE_SECONDS = 30  # far more than needed, for busy machines
SKIPPED = 77  # CTest's SKIP_RETURN_CODE
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

Answer = collections.namedtuple("Answer", "status headers body")


def program(variable):
    """The path of a program from an environment variable set by CTest."""
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{variable}: invalid value {path!r}: expected the program to test")
    return path


def exporter_binary():
    return program("PROCEVENT_EXPORTER_BINARY")


def unprivileged_skip_reason():
    """The reason why other users cannot run the exporter's binary, or None."""
    path = os.path.realpath(exporter_binary())
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return f"other users cannot execute {path}"
        path = os.path.dirname(path)
    return None


@functools.cache
def live_skip_reason():
    return connector.live_skip_reason()


class LiveTest(unittest.TestCase):
    """Tests that need root and the real connector. PROCEVENT_REQUIRE_LIVE=1 turns a skip into a failure."""

    @classmethod
    def setUpClass(cls):
        require(live_skip_reason())


def require(missing):
    """Skips with the reason `missing`, or fails with PROCEVENT_REQUIRE_LIVE=1. Does nothing for None."""
    if missing is not None and os.environ.get("PROCEVENT_REQUIRE_LIVE") == "1":
        raise RuntimeError(f"PROCEVENT_REQUIRE_LIVE=1: cannot run the test: {missing}")
    if missing is not None:
        raise unittest.SkipTest(missing)


def main():
    """Runs the tests of the calling file and prints the reasons of skips."""
    outcome = unittest.main(verbosity=2, exit=False).result
    if not outcome.wasSuccessful():
        sys.exit(1)
    # A skipped class counts as one skip and no test.
    sys.exit(SKIPPED if outcome.skipped and outcome.testsRun <= len(outcome.skipped) else 0)


def free_port():
    """A free port outside of the kernel's range of ephemeral ports."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        below = int(file.read().split()[0])
    for _ in range(100):
        port = random.randrange(below // 2, below)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"none of 100 ports below {below} is free on 127.0.0.1")


def wait_for(what, condition, seconds=DEADLINE_SECONDS):
    """Polls `condition` and returns its first true value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out after {seconds} s waiting for: {what}")
        time.sleep(0.02)


def log_lines(text, words="", **fields):
    """The lines of a log in logfmt, as dicts: those whose msg contains `words` and that have these fields."""
    lines = []
    for line in text.splitlines():
        pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)
        row = {key: json.loads(value) if value[0] == '"' or value.isdigit() else value for key, value in pairs}
        if words in row.get("msg", "") and fields.items() <= row.items():
            lines.append(row)
    return lines


def enter_new_network():
    """Moves a child before its exec into a new network namespace with a loopback."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


@contextlib.contextmanager
def network_of(pid):
    """Moves the calling thread into the process's network namespace for as long as the `with` lasts."""
    with open("/proc/thread-self/ns/net", "rb") as ours, open(f"/proc/{pid}/ns/net", "rb") as theirs:
        if _libc.setns(theirs.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if _libc.setns(ours.fileno(), CLONE_NEWNET) != 0:
                os._exit(1)  # the following tests would run in a foreign network


class ServingExporter:
    """Base of exporters that serve on `port`. Derived classes have `pid`, `log` and `exit_code` (None: running)."""

    def get(self, path, method="GET", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection), network_of(self.pid()):
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def readiness(self):
        """The response of /-/ready, or None while the connection is refused, or while strace runs children of its own
        before the exporter."""
        if (code := self.exit_code()) is not None:
            raise AssertionError(f"the exporter ended with {code}:\n{self.log()}")
        try:
            return self.get("/-/ready")
        except (ConnectionRefusedError, FileNotFoundError):
            return None

    def wait_ready(self):
        wait_for("the exporter to be ready", lambda: (answer := self.readiness()) and answer.status == 200)
        return self

    def scrape(self):
        answer = self.get("/metrics")
        if answer.status != 200:
            raise AssertionError(f"/metrics answers {answer.status}: {answer.body!r}")
        return samples.Samples(answer.body.decode())

    @contextlib.contextmanager
    def stopped(self):
        """Stops all threads of the exporter for as long as the `with` lasts."""
        os.kill(self.pid(), signal.SIGSTOP)
        try:
            wait_for("all threads to stop", self.all_threads_stopped)
            yield
        finally:
            os.kill(self.pid(), signal.SIGCONT)

    def all_threads_stopped(self):
        """Whether each thread is stopped. A signal takes effect with a delay."""
        tasks = f"/proc/{self.pid()}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True


class Exporter(ServingExporter):
    """An exporter on a free loopback port. It must exit with 0 at the end of the `with`."""

    def __init__(self, *flags, config="", prefix=(), before_exec=None, stderr=None, environment=None):
        self._directory = tempfile.TemporaryDirectory(prefix="procevent-e2e-")
        os.chmod(self._directory.name, 0o755)  # readable for the user that the exporter runs as
        self.port = free_port()
        self.config_file = os.path.join(self._directory.name, "procevent_exporter.yml")
        with open(self.config_file, "w", encoding="utf-8") as text:
            text.write(config)
        self._log = open(os.path.join(self._directory.name, "log"), "w+b")
        self.process = subprocess.Popen(
            [*prefix, exporter_binary(), f"--config.file={self.config_file}",
             f"--web.listen-address=127.0.0.1:{self.port}",
             *flags],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log if stderr is None else stderr,
            preexec_fn=before_exec, env={**os.environ, **(environment or {})})

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            # SIGTERM first: a killed exporter stays in the kernel's count of listeners.
            code = self.stop()[0] if self.process.poll() is None else self.process.returncode
        except subprocess.TimeoutExpired:
            code = "no exit after SIGTERM"
            os.kill(self.pid(), signal.SIGKILL)
            self.process.wait()
        if failure is not None or code != 0:
            sys.stderr.write(f"the exporter's log:\n{self.log()}\n")
        self._log.close()
        self._directory.cleanup()
        if failure is None and code != 0:
            raise AssertionError(f"the exporter ended with {code}")

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def pid(self):
        """The exporter's PID. It is a child of the process if a prefix forks."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return int(children[0]) if children else self.process.pid

    def exit_code(self):
        return self.process.poll()

    def stop(self):
        """Sends SIGTERM. Returns the exit code and the seconds until the exit."""
        start = time.monotonic()
        os.kill(self.pid(), signal.SIGTERM)
        code = self.process.wait(DEADLINE_SECONDS)
        return code, time.monotonic() - start


class Storm:
    """A running storm. `numbers` holds its own counts after wait()."""

    def __init__(self, kind, count, workers=2):
        self._process = subprocess.Popen(
            [program("PROCEVENT_STORM"), "--kind", kind, "--count", str(count), "--workers", str(workers)],
            stdout=subprocess.PIPE, process_group=0)
        self.pid = self._process.pid
        self.numbers = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)  # workers would keep running
        self._process.wait()
        self._process.stdout.close()

    def running(self):
        return self._process.poll() is None

    def wait(self):
        out, _ = self._process.communicate(timeout=4 * DEADLINE_SECONDS)
        if self._process.returncode != 0:
            raise AssertionError(f"the storm failed: {self._process.returncode}")
        self.numbers = json.loads(out)
        return self


def event_counts(scrape):
    """The counts of received messages by type, ACKs included."""
    events = {name: int(value) for name, value in scrape.by("procevent_events_total", "event").items()}
    return {"ack": int(scrape.value("procevent_acks_total")), **events}


def await_storm(storm, counter):
    """Waits until the counter has all events of the storm. Exit events arrive after the storm's waits have returned."""
    storm.wait()
    numbers = {name: storm.numbers[name] for name in ("forks", "execs", "exits", "threads")}
    numbers["thread_exits"] = numbers["threads"]
    received = {}

    def complete():
        counter.drain()
        received.update(event_counter.storm_numbers(counter.life_events, storm.pid))
        return received["exits"] >= numbers["exits"] and received["thread_exits"] >= numbers["thread_exits"]

    try:
        wait_for("the storm's last exit", complete)
    except AssertionError as error:
        raise AssertionError(f"{error}: {received} instead of {numbers}") from error
    if received != numbers:
        raise AssertionError(f"the storm made {numbers}, but the counter received {received}")
    return numbers
