"""`watch --events` on this machine: events, losses in their place, and a clean exit."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time

import connector
import harness

# A process that starts a session, renames itself, starts a thread, changes its group and user, and exits with status 3.
SCRIPT = """
import ctypes, os, sys, threading, time
os.setsid()
libc = ctypes.CDLL(None)
libc.prctl(15, sys.argv[1].encode("latin-1").decode("unicode_escape").encode("latin-1"), 0, 0, 0)
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
while len(os.listdir("/proc/self/task")) > 1:  # the kernel removes the thread after join() returns
    pass
time.sleep(0.1)  # and sends its exit event later still
os.setgid(65534)
os.setuid(65534)
os._exit(3)
"""
OVERFLOWING_FORKS = 60000  # two events each, and the receive buffer holds fewer than 90 000 events
TIME = r"\d\d:\d\d:\d\d\.\d{3}"


class Watch:
    """A running `watch` and the lines that it has printed."""

    def __init__(self, *flags, prefix=(), stdout=None):
        self.lines = []
        self.errors = []
        self.process = subprocess.Popen(
            [*prefix, harness.exporter_binary(), "watch", "--events", *flags], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=self._read, args=(self.process.stderr, self.errors))]
        if stdout is None:
            self._readers.append(threading.Thread(target=self._read, args=(self.process.stdout, self.lines)))
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.decode().rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.wait()

    def wait(self):
        code = self.process.wait(harness.DEADLINE_SECONDS)
        for reader in self._readers:
            reader.join()
        self.process.stderr.close()
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def await_line(self, pattern):
        return harness.wait_for(f"a line like {pattern}", lambda: self.find(pattern))

    def find(self, pattern):
        return next((line for line in list(self.lines) if re.search(pattern, line)), None)

    def await_subscription(self):
        """Starts processes until the exit of one is printed."""
        harness.wait_for("an event to be printed", self._prints_a_process)
        return self

    def _prints_a_process(self):
        child = subprocess.Popen(["true"])
        child.wait()
        time.sleep(0.05)
        return self.find(rf"\bexit +{child.pid} |\"event\":\"exit\".*\"process_pid\":{child.pid},")


def run_script(name):
    """Runs SCRIPT under this name to its end. Returns its PID."""
    child = subprocess.Popen([sys.executable, "-S", "-c", SCRIPT, name])
    child.wait()
    return child.pid


class Events(harness.LiveTest):
    def setUp(self):
        self.listeners = connector.listener_count()

    def tearDown(self):
        self.assertEqual(connector.listener_count(), self.listeners, "watch changed the kernel's listener count")

    def test_process_from_fork_to_exit(self):
        with Watch() as watch:
            watch.await_subscription()
            pid = run_script("a name")
            watch.await_line(rf"^{TIME} exit +{pid} (first thread: )?status 3 ")
        self.assertEqual(watch.errors, [])
        self.assertRegex(watch.lines[0], r"^Time +Event +PID +What +Seconds +Command +User$")
        lines = [re.sub(" +", " ", line[13:]) for line in watch.lines if re.search(rf"\b{pid}\b", line)]
        expected = [rf"fork {os.getpid()} (thread \d+: )?-> {pid} ", rf"exec {pid} executes (python\S*|a name) root",
                 rf"sid {pid} new session \S+ root", rf"comm {pid} \S.* -> a name a name root",
                 rf"fork {pid} -> thread \d+ a name root", rf"exit {pid} thread \d+: status 0 a name root",
                 rf"gid {pid} group 65534 a name root", rf"uid {pid} user 65534 a name nobody",
                 rf"exit {pid} status 3 \d+\.\d+ a name nobody"]
        for line in lines:
            if expected and re.match(expected[0], line):
                expected.pop(0)
        self.assertEqual(expected, [], lines)

    def test_json(self):
        with Watch("--json") as watch:
            watch.await_subscription()
            pid = run_script("json")
            watch.await_line(rf'"event":"exit".*"process_pid":{pid},')
        lines = [json.loads(line) for line in watch.lines]
        end = next(line for line in lines if line["event"] == "exit" and line["process_pid"] == pid)
        self.assertEqual({key: end[key] for key in ("exit_code", "status", "command", "user")},
                         {"exit_code": 768, "status": 3, "command": "json", "user": "nobody"})
        # Without the keys `command` and `user`, encode accepts the lines.
        text = "".join(json.dumps({key: value for key, value in line.items() if key not in ("command", "user")}) + "\n"
                       for line in lines if "event" in line)
        encoded = subprocess.run([harness.exporter_binary(), "encode"], input=text, capture_output=True, text=True,
                                 check=True, timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(len(encoded.stdout.splitlines()), len(lines))

    def test_types_and_commands(self):
        with Watch("--type=exit,sid") as types, Watch("--comm=onl?-me") as comms, Watch("--type=exec") as execs:
            types.await_subscription()
            comms.await_line("^Time")
            harness.wait_for("an exec to be printed", lambda: run_script("any") and execs.find(" exec "))
            pid, other = run_script("only-me"), run_script("another")
            types.await_line(f" exit +{other} (first thread: )?status 3 ")
            comms.await_line(f" exit +{pid} (first thread: )?status 3 ")
            execs.await_line(f" exec +{other} ")
        self.assertEqual({line.split()[1] for line in types.lines[1:]} - {"exit", "sid"}, set())
        self.assertEqual({line.split()[1] for line in execs.lines[1:]}, {"exec"})
        self.assertIsNone(comms.find(rf"\b{other}\b"))
        self.assertIsNone(comms.find(rf"sid +{pid}"), "the process had another name then")
        self.assertIsNotNone(comms.find(rf"comm +{pid} .* -> only-me"))

    def test_hostile_names(self):
        """Every printed character is printable."""
        with Watch() as watch:
            watch.await_subscription()
            for name in (r"\x1b[2J\x1b[H", r"a\nb\rc", r"\xff\xfe\x80", r"\xc2\x9b31m", r"\xe2\x80\xaeevil"):
                watch.await_line(f" exit +{run_script(name)} (first thread: )?status 3 ")
        for line in watch.lines:
            self.assertTrue(line.isprintable(), line)
        self.assertIsNotNone(watch.find(re.escape(r"\x1b[2J\x1b[H")))

    def test_losses_are_printed_in_place(self):
        """A storm overflows the receive buffer of a stopped watch. Sequence numbers and losses must agree."""
        with Watch("--json") as watch:
            watch.await_subscription()
            os.kill(watch.process.pid, signal.SIGSTOP)
            with harness.Storm("fork", OVERFLOWING_FORKS) as storm:
                storm.wait()
            os.kill(watch.process.pid, signal.SIGCONT)
            watch.await_line('"lost"')
            watch.await_subscription()
            lines = [json.loads(line) for line in list(watch.lines)]
        self.assertGreater(sum(line.get("lost", 0) for line in lines), 1000)
        self.check_sequence(lines)

    def check_sequence(self, lines):
        """Every sequence gap has a loss line in its place, apart from the few hidden canary events of the watch."""
        last, lost = {}, {}
        for at, line in enumerate(lines):
            if "lost" in line:
                lost[line["cpu"]] = lost.get(line["cpu"], 0) + line["lost"]
                continue
            cpu, seq = line["cpu"], line["seq"]
            gap = seq - last[cpu] - 1 if cpu in last else 0
            hidden = gap - lost.pop(cpu, 0)
            self.assertIn(hidden, range(20), [other for other in lines[max(0, at - 200):at + 1] if other["cpu"] == cpu])
            last[cpu] = seq

    def test_blocked_reader(self):
        """Memory stays bounded, losses are printed once the reader continues, and SIGTERM ends the watch."""
        for forks in (2000, OVERFLOWING_FORKS):
            read, write = os.pipe()
            with self.subTest(forks=forks), open(read, "rb", buffering=0) as stream, Watch(stdout=write) as watch:
                os.close(write)
                self.assertTrue(stream.read(5))
                with harness.Storm("fork", forks) as storm:
                    storm.wait()
                with open(f"/proc/{watch.process.pid}/status", encoding="ascii") as file:
                    self.assertLess(int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)), 60000)
                if forks == OVERFLOWING_FORKS:
                    self.await_loss(stream)
                watch.process.send_signal(signal.SIGTERM)
                self.assertEqual(watch.wait(), 0)

    def test_duration_ends_it_during_a_storm(self):
        """It waits neither for a blocked reader nor for a pause between the events."""
        for blocked in (True, False):
            with self.subTest(blocked=blocked), open(os.devnull, "wb") as null:
                read, write = os.pipe()
                with open(read, "rb", buffering=0), \
                        Watch("--duration=1s", stdout=write if blocked else null) as watch, \
                        harness.Storm("exec", 200000):
                    os.close(write)
                    started = time.monotonic()
                    self.assertEqual(watch.wait(), 0)
                    self.assertLess(time.monotonic() - started, 12)  # the storm takes much longer

    def await_loss(self, stream):
        text = b""
        while not re.search(rb"(?m)^-- \d+ events lost on CPU \d+ --$", text):
            self.assertTrue(select.select([stream], [], [], harness.DEADLINE_SECONDS)[0])
            text = text[-100:] + stream.read(1 << 16)

    def test_signals_and_duration_end_it(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number), Watch() as watch:
                watch.await_subscription()
                watch.process.send_signal(number)
                self.assertEqual((watch.wait(), watch.errors), (0, []))
        with self.subTest("duration"), Watch("--duration=300ms") as watch:
            start = time.monotonic()
            self.assertEqual((watch.wait(), watch.errors), (0, []))
            self.assertLess(time.monotonic() - start, 5)

    def test_closed_pipe_is_no_error(self):
        for ignored in (False, True):
            with self.subTest(ignored=ignored):
                done = subprocess.run(["bash", "-c", f"{harness.exporter_binary()} watch --events | head -n 1; "
                                       'echo "${PIPESTATUS[0]}"'],
                                      capture_output=True, text=True, check=False, timeout=harness.DEADLINE_SECONDS,
                                      restore_signals=not ignored)
                self.assertRegex(done.stdout, r"^Time .*\n0\n$")
                self.assertEqual(done.stderr, "")

    def test_terminal(self):
        main, side = pty.openpty()
        try:
            with Watch(stdout=side) as watch:
                os.close(side)
                text = b""
                while b"exit" not in text:
                    subprocess.run(["true"], check=True)
                    if select.select([main], [], [], 0.1)[0]:
                        text += os.read(main, 4096)
                watch.process.send_signal(signal.SIGINT)
                self.assertEqual(watch.wait(), 0)
        finally:
            os.close(main)

    def test_foreign_namespace_is_reported(self):
        harness.require(None if shutil.which("unshare") else "not installed: unshare (util-linux)")
        for prefix, remedy in ((("unshare", "--net"), "--network host"),
                               (("unshare", "--pid", "--fork", "--kill-child"), "--pid host"),
                               (("unshare", "--user"), "--userns host")):
            with self.subTest(remedy), Watch(prefix=prefix) as watch:
                self.assertEqual(watch.wait(), 1)
                self.assertEqual((watch.lines, len(watch.errors)), ([], 1))
                self.assertRegex(watch.errors[0], "^procevent_exporter: cannot .*process events.*" + remedy)

    def test_lost_subscription_is_renewed(self):
        with Watch() as watch:
            watch.await_subscription()
            count = connector.listener_count()
            connector.change_listener_count(-count)
            try:
                harness.wait_for("a report of the lost subscription",
                                 lambda: any("subscription lost" in line for line in watch.errors))
                watch.await_subscription()
            finally:
                connector.change_listener_count(self.listeners + 1 - connector.listener_count())


if __name__ == "__main__":
    harness.main()
