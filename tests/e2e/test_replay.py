"""Captures: what is recorded, what others read of it, and what a replay says of it."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

import harness
import samples

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "deploy/demo/demo.pcap")
GOLDEN = os.path.join(ROOT, "tests/golden/demo_exposition.txt")

# Of the exporter and the machine it runs on, and not of the capture.
OWN = re.compile(r"(# (HELP|TYPE) )?(process_(?!lifetime)|procevent_(build_info|config_|http_|pid_max|reader_cpu_))")
AT_ONCE = "--source.replay-speed=max"


def run(*arguments, **options):
    return subprocess.run([harness.exporter_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.DEADLINE_SECONDS, check=False, **options)


def replayed(exporter):
    """What is served when the capture is at its end."""
    harness.wait_for("the end of the capture", lambda: "replayed to its end" in exporter.log())
    answer = exporter.get("/metrics")
    return "".join(line for line in answer.body.decode().splitlines(keepends=True) if not OWN.match(line))


class Replay(unittest.TestCase):
    def test_the_demo_says_what_it_has_always_said(self):
        with harness.Exporter(f"--source.replay={DEMO}", AT_ONCE) as exporter:
            text = replayed(exporter)
        if os.environ.get("PROCEVENT_REFRESH_GOLDEN"):
            with open(GOLDEN, "w", encoding="utf-8") as file:
                file.write(text)
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(text, file.read(), "PROCEVENT_REFRESH_GOLDEN=1 writes it anew")

    def test_it_adds_up(self):
        with open(GOLDEN, encoding="utf-8") as file:
            golden = samples.Samples(file.read())
        self.assertEqual(golden.value("procevent_replayed"), 1)
        self.assertGreater(golden.value("procevent_events_total", event="fork"), 1000)
        for event, names in (("fork", ("procevent_forks_total", "procevent_threads_started_total")),
                             ("exec", ("procevent_execs_total",)),
                             ("exit", ("procevent_exits_total", "procevent_threads_ended_total"))):
            with self.subTest(event):
                self.assertEqual(golden.value("procevent_events_total", event=event),
                                 sum(golden.sum(name) for name in names) +
                                 golden.value("procevent_pending", event=event))

    def test_the_speed_changes_nothing(self):
        texts = []
        for speed in ("max", "100"):
            with harness.Exporter(f"--source.replay={DEMO}", f"--source.replay-speed={speed}") as exporter:
                texts.append(replayed(exporter))
        self.assertEqual(texts[0], texts[1])

    def test_every_scrape_on_the_way_adds_up(self):
        with harness.Exporter(f"--source.replay={DEMO}", "--source.replay-speed=10") as exporter:
            exporter.wait_ready()
            before = -1
            while "replayed to its end" not in exporter.log():
                scrape = exporter.scrape()
                forks = scrape.value("procevent_events_total", event="fork")
                self.assertGreaterEqual(forks, before)
                before = forks
                self.assertEqual(forks, scrape.sum("procevent_forks_total") +
                                 scrape.sum("procevent_threads_started_total") +
                                 scrape.value("procevent_pending", event="fork"))
            self.assertGreater(before, 0)

    def test_again_and_again_on_request(self):
        with harness.Exporter(f"--source.replay={DEMO}", AT_ONCE, "--source.replay-loop=true") as exporter:
            exporter.wait_ready()
            with open(GOLDEN, encoding="utf-8") as file:
                once = samples.Samples(file.read()).value("procevent_events_total", event="fork")

            def forks():
                return exporter.scrape().value("procevent_events_total", event="fork")

            harness.wait_for("five rounds", lambda: forks() > 5 * once)
            self.assertEqual(exporter.scrape().sum("procevent_events_lost_total"), 0)

    def test_it_says_that_it_is_a_replay(self):
        with harness.Exporter(f"--source.replay={DEMO}") as exporter:
            exporter.wait_ready()
            self.assertIn("It replays a capture: the numbers are not of this machine.", exporter.get("/").body.decode())
            self.assertRegex(exporter.log(), r"replaying \S*demo.pcap, \d+ datagrams of \d+ s, as recorded")

    def test_nobody_may_replay(self):
        harness.require(harness.why_not_for_anybody() or ("this is not root" if os.geteuid() != 0 else None))
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            os.chmod(directory, 0o755)
            capture = os.path.join(directory, "demo.pcap")
            with open(DEMO, "rb") as demo, open(capture, "wb") as file:
                file.write(demo.read())
            nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all",
                      "--bounding-set=-all", "--no-new-privs")
            with harness.Exporter(f"--source.replay={capture}", AT_ONCE, prefix=nobody) as exporter:
                with open(GOLDEN, encoding="utf-8") as file:
                    self.assertEqual(replayed(exporter), file.read())
                self.assertNotIn("level=warning", exporter.log())

    def test_what_cannot_be_replayed(self):
        with open(DEMO, "rb") as file:
            demo = file.read()
        foreign = bytearray(demo)
        foreign[20] = 1
        rows = (
            ("cut", demo[:100_000], r"x.pcap is broken at offset 9\d{4}: truncated dump file"),
            ("foreign", bytes(foreign), r"x.pcap is a capture of link type EN10MB, 1, not of NETLINK, 253; record one"),
            ("a text", b"#!/bin/sh\n" * 10, r"x.pcap is no capture: unknown file format; record one with"),
        )
        for name, content, fault in rows:
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
                path = os.path.join(directory, "x.pcap")
                with open(path, "wb") as file:
                    file.write(content)
                done = run(f"--source.replay={path}")
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, fault)
                self.assertEqual(done.stderr.count("level=error"), 1, done.stderr)
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            pipe = os.path.join(directory, "pipe")
            os.mkfifo(pipe)
            done = run(f"--source.replay={pipe}")
            self.assertEqual(done.returncode, 1)
            self.assertIn("is no regular file: a capture is read twice, so give one on a disk", done.stderr)
        done = run("--source.replay=/no/such.pcap")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot open the capture /no/such.pcap: No such file or directory", done.stderr)


def recording(path, *arguments, **options):
    """`record` as a process that listens already."""
    process = subprocess.Popen([harness.exporter_binary(), "record", path, *arguments], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, **options)
    line = process.stderr.readline()
    if "listening to the kernel" not in line:
        process.kill()
        raise AssertionError(line + process.communicate()[1])
    return process


class Record(harness.LiveTest):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="procevent-e2e-")
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "live.pcap")

    def end(self, process):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)
        return process.returncode, said

    def test_a_storm_is_in_it(self):
        with recording(self.path) as process:
            with harness.Storm("fork", 3000) as storm:
                numbers = storm.wait().numbers
            code, said = self.end(process)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"recorded \d+ events in \d+ ms, 0 were lost; the capture has \d+ bytes")
        self.assertIn(f"the capture has {os.path.getsize(self.path)} bytes", said)
        with harness.Exporter(f"--source.replay={self.path}", AT_ONCE) as exporter:
            scrape = samples.Samples(replayed(exporter))
        self.assertEqual(scrape.value("procevent_events_total", event="fork"),
                         scrape.sum("procevent_forks_total") + scrape.sum("procevent_threads_started_total") +
                         scrape.value("procevent_pending", event="fork"))
        forks = scrape.by("procevent_forks_total", "comm")
        waiting = forks["[unattributed programs]"] + scrape.value("procevent_pending", event="fork")
        self.assertGreaterEqual(forks["storm"] + waiting, numbers["forks"])
        self.assertGreater(forks["storm"], 0.9 * numbers["forks"])
        self.assertLessEqual(forks["storm"], numbers["forks"])

    def test_others_read_it(self):
        with recording(self.path, "--duration=1s") as process:
            subprocess.run(["true"], check=True)
            process.communicate(timeout=harness.DEADLINE_SECONDS)
        packets = self.packets_by_hand()
        shown = subprocess.run(["tshark", "-n", "-r", self.path, "-T", "fields", "-e", "frame.protocols", "-e",
                                "netlink.family", "-e", "netlink.hdr_len"], capture_output=True, text=True,
                               check=True, timeout=120)
        families = [line.split("\t")[1:] for line in shown.stdout.splitlines()]
        self.assertEqual([(int(family, 0), int(length)) for family, length in families], packets)
        self.assertIn((11, 76), packets)
        self.assertTrue(any(family == 2 for family, _ in packets))

    def packets_by_hand(self):
        """(family, netlink's length) of each packet."""
        with open(self.path, "rb") as file:
            data = file.read()[24:]
        packets = []
        while data:
            length = int.from_bytes(data[8:12], "little")
            packet, data = data[16:16 + length], data[16 + length:]
            packets.append((int.from_bytes(packet[14:16], "big"), int.from_bytes(packet[16:20], "little")))
        return packets

    def test_the_standard_output(self):
        with open(self.path, "wb") as file, recording("-", "--duration=300ms", stdout=file) as process:
            process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.assertIn((11, 76), self.packets_by_hand())

    def test_a_full_disk(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.directory.name], check=True)
        self.addCleanup(subprocess.run, ["umount", self.directory.name], check=True)
        with recording(self.path) as process:
            with harness.Storm("fork", 3000) as storm:
                storm.wait()
            _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)  # it ends by itself
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("cannot write the capture: No space left on device; make room, or record to another disk; what "
                      "was recorded until then is readable", said)
        self.assertRegex(said, r"heard [0-9]+ events in [0-9]+ ms, 0 were lost; the capture ends before that, and has ")
        with harness.Exporter(f"--source.replay={self.path}", AT_ONCE) as exporter:
            scrape = samples.Samples(replayed(exporter))
        self.assertGreater(scrape.value("procevent_events_total", event="fork"), 100)

    def test_where_it_cannot_begin(self):
        rows = (
            ("no such folder", ("/no/such/x.pcap",), {},
             "cannot write the capture /no/such/x.pcap: No such file or directory"),
            ("a foreign network", (self.path,), {"preexec_fn": harness.enter_new_network}, "--network host"),
        )
        for name, arguments, options, fault in rows:
            with self.subTest(name):
                done = run("record", *arguments, **options)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(fault, done.stderr)

    def test_what_a_file_held_stays_where_nothing_is_recorded(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        done = run("record", self.path, preexec_fn=harness.enter_new_network)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_replay_is_not_listened_to(self):
        for command in (("record", self.path), ("doctor",)):
            done = run(*command, f"--source.replay={DEMO}")
            self.assertEqual(done.returncode, 2)
            self.assertIn("source.replay is set, and this command is about listening: leave it out", done.stderr)

    def test_every_signal_ends_it(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), recording(self.path) as process:
                process.send_signal(number)
                _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)
                self.assertEqual(process.returncode, 0, said)

    def test_a_pipe_that_nobody_reads_holds_no_stop_up(self):
        reading, writing = os.pipe()
        with recording("-", stdout=writing) as process:
            os.close(writing)
            with harness.Storm("fork", 2000) as storm:
                storm.wait()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)
        os.close(reading)
        self.assertEqual(process.returncode, 1)
        self.assertIn("cannot write the capture: Connection timed out", said)

    def test_a_pipe_that_is_full_from_the_start_holds_no_stop_up(self):
        """Who lives is written before anything is heard: it does not fit."""
        for how in ("a signal", "--duration"):
            reading, writing = os.pipe()
            os.set_blocking(writing, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writing, bytes(4096))
            os.set_blocking(writing, True)
            flags = ["--duration=100ms"] if how == "--duration" else []
            with self.subTest(how), subprocess.Popen(
                    [harness.exporter_binary(), "record", "-", *flags], stdin=subprocess.DEVNULL, stdout=writing,
                    stderr=subprocess.PIPE, text=True) as process:
                os.close(writing)
                if how == "a signal":
                    time.sleep(1)
                    process.send_signal(signal.SIGTERM)
                _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)
                os.close(reading)
                self.assertEqual(process.returncode, 1)
                self.assertIn("cannot write the capture: Connection timed out; read on what is written there", said)

    def test_what_belongs_to_somebody_else_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        os.chown(self.path, 65534, 65534)
        done = run("record", self.path, "--duration=100ms")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(f"cannot write the capture {self.path}: it belongs to somebody else; ", done.stderr)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_who_has_seen_enough_is_no_fault(self):
        reading, writing = os.pipe()
        with recording("-", stdout=writing) as process:
            os.close(writing)
            os.close(reading)
            with harness.Storm("fork", 2000) as storm:
                storm.wait()
            _, said = process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0, said)

    def test_the_listener_count_stays_right(self):
        """Recordings one after the other: each ends its subscription, and the next one is heard."""
        for _ in range(3):
            done = run("record", self.path, "--duration=100ms")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    harness.main()
