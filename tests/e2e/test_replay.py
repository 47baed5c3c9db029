"""Captures: `record`, other programs that read its files, and replays."""

import contextlib
import os
import re
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import harness
import identities
import samples

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "deploy/demo/demo.pcap")
GOLDEN = os.path.join(ROOT, "tests/golden/demo_exposition.txt")

# Series and comments that depend on the exporter and its machine, not on the capture.
LOCAL_LINE = re.compile(r"(# (HELP|TYPE) )?"
                        r"(process_(?!lifetime)|procevent_(exporter_|pid_max|snapshot_timestamp_))")
FULL_SPEED = "--source.replay-speed=max"


def run(*arguments, **options):
    return subprocess.run([harness.exporter_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.DEADLINE_SECONDS, check=False, **options)


def has_replayed(exporter):
    return bool(harness.log_lines(exporter.log(), "replay finished"))


def replay_to_end(exporter):
    """Returns the exposition after the end of the capture, without LOCAL_LINE."""
    harness.wait_for("the end of the capture", lambda: has_replayed(exporter))
    response = exporter.get("/metrics")
    return "".join(line for line in response.body.decode().splitlines(keepends=True) if not LOCAL_LINE.match(line))


class Replay(unittest.TestCase):
    def test_demo_matches_the_golden_file(self):
        with harness.Exporter(f"--source.replay={DEMO}", FULL_SPEED) as exporter:
            text = replay_to_end(exporter)
        if os.environ.get("PROCEVENT_REFRESH_GOLDEN"):
            with open(GOLDEN, "w", encoding="utf-8") as file:
                file.write(text)
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(text, file.read(), "PROCEVENT_REFRESH_GOLDEN=1 rewrites it")

    def test_golden_file_adds_up(self):
        with open(GOLDEN, encoding="utf-8") as file:
            page = identities.Page(file.read())
        self.assertEqual(page.families.value("procevent_replayed"), 1)
        self.assertGreater(page.families.value("procevent_events_total", event="fork"), 1000)
        identities.check_sums(self, page)

    def test_records_of_newer_programs_are_skipped_and_counted(self):
        with open(DEMO, "rb") as file:
            demo = file.read()
        first = demo[24:24 + 16 + int.from_bytes(demo[32:36], "little")]
        body = bytes(2048)
        record = struct.pack("<IHHII7sB", 24 + len(body), 22, 0, 0, 0, b"procevt", 2) + body
        unknown = first[:8] + struct.pack("<II", 16 + len(record), 16 + len(record)) + first[16:32] + record
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            path = os.path.join(directory, "newer.pcap")
            with open(path, "wb") as file:
                file.write(demo[:24] + first + 3 * unknown + demo[24 + len(first):])
            with harness.Exporter(f"--source.replay={path}", FULL_SPEED) as exporter:
                text = replay_to_end(exporter)
                self.assertEqual(len(harness.log_lines(exporter.log(), "replaying", skipped=3)), 1)
            decoded = run("decode", path)
            watched = run("watch", "--events", path)
            known = run("watch", "--events", DEMO)
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(text, file.read())
        self.assertEqual(decoded.stdout.count('{"record":"unknown","kind":22,"length":2048}\n'), 3)
        self.assertEqual((watched.returncode, watched.stdout), (0, known.stdout))
        self.assertEqual(watched.stderr,
                         "procevent_exporter: skipped records of a newer version in the capture: count=3\n")
        self.assertEqual(known.stderr, "")

    def test_speed_changes_nothing(self):
        texts = []
        for speed in ("max", "100"):
            with harness.Exporter(f"--source.replay={DEMO}", f"--source.replay-speed={speed}") as exporter:
                texts.append(replay_to_end(exporter))
        self.assertEqual(texts[0], texts[1])

    def test_every_scrape_adds_up(self):
        with harness.Exporter(f"--source.replay={DEMO}", "--source.replay-speed=10") as exporter:
            exporter.wait_ready()
            before = -1
            while not has_replayed(exporter):
                page = identities.Page(exporter.get("/metrics").body.decode())
                forks = page.families.value("procevent_events_total", event="fork")
                self.assertGreaterEqual(forks, before)
                before = forks
                identities.check_sums(self, page)
            self.assertGreater(before, 0)

    def test_loop(self):
        with harness.Exporter(f"--source.replay={DEMO}", FULL_SPEED, "--source.replay-loop=true") as exporter:
            exporter.wait_ready()
            with open(GOLDEN, encoding="utf-8") as file:
                per_replay = samples.Samples(file.read()).value("procevent_events_total", event="fork")

            def forks():
                return exporter.scrape().value("procevent_events_total", event="fork")

            harness.wait_for("five replays", lambda: forks() > 5 * per_replay)
            self.assertEqual(exporter.scrape().sum("procevent_events_lost_total"), 0)

    def test_replay_is_announced(self):
        with harness.Exporter(f"--source.replay={DEMO}") as exporter:
            exporter.wait_ready()
            self.assertIn("Ready: replaying a capture", exporter.get("/").body.decode())
            line, = harness.log_lines(exporter.log(), "replaying", level="info", file=DEMO, speed="1", loop="false")
            self.assertGreater(line["datagrams"], 1000)
            self.assertGreater(line["duration_s"], 0)

    def test_unprivileged_replay(self):
        harness.require(harness.unprivileged_skip_reason() or ("this is not root" if os.geteuid() != 0 else None))
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            os.chmod(directory, 0o755)
            capture = os.path.join(directory, "demo.pcap")
            with open(DEMO, "rb") as demo, open(capture, "wb") as file:
                file.write(demo.read())
            nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all",
                      "--bounding-set=-all", "--no-new-privs")
            with harness.Exporter(f"--source.replay={capture}", FULL_SPEED, prefix=nobody) as exporter:
                with open(GOLDEN, encoding="utf-8") as file:
                    self.assertEqual(replay_to_end(exporter), file.read())
                self.assertNotIn("level=warning", exporter.log())

    def test_invalid_captures(self):
        with open(DEMO, "rb") as file:
            demo = file.read()
        other_link_type = bytearray(demo)
        other_link_type[20] = 1
        rows = (
            ("truncated", demo[:100_000], r"x\.pcap.* offset 9\d{4}: truncated dump file"),
            ("other link type", bytes(other_link_type), r"x\.pcap.*EN10MB.*\b1\b.*NETLINK.*\b253\b.*; record one"),
            ("text", b"#!/bin/sh\n" * 10, r"x\.pcap.*: unknown file format; record one with"),
        )
        for name, content, error in rows:
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
                path = os.path.join(directory, "x.pcap")
                with open(path, "wb") as file:
                    file.write(content)
                done = run(f"--source.replay={path}")
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, error)
                self.assertEqual(done.stderr.count("level=error"), 1, done.stderr)
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            pipe = os.path.join(directory, "pipe")
            os.mkfifo(pipe)
            done = run(f"--source.replay={pipe}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{pipe}: not a regular file; copy it to a file, because it is read twice", done.stderr)
        done = run("--source.replay=/no/such.pcap")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot open the capture /no/such.pcap: No such file or directory", done.stderr)


def start_recording(path, *arguments, **options):
    """Starts `record` and waits for its subscription."""
    process = subprocess.Popen([harness.exporter_binary(), "record", path, *arguments], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, **options)
    line = process.stderr.readline()
    if "subscribed" not in line:
        process.kill()
        raise AssertionError(line + process.communicate()[1])
    return process


class Record(harness.LiveTest):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="procevent-e2e-")
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "live.pcap")

    def stop(self, process):
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)
        return process.returncode, log

    def test_storm_is_recorded(self):
        with start_recording(self.path) as process:
            with harness.Storm("fork", 3000) as storm:
                numbers = storm.wait().numbers
            code, log = self.stop(process)
        self.assertEqual(code, 0, log)
        summary, = harness.log_lines(log, "recording finished", lost=0, bytes=os.path.getsize(self.path))
        self.assertGreater(summary["events"], 3000)
        self.assertGreater(summary["duration_ms"], 0)
        with harness.Exporter(f"--source.replay={self.path}", FULL_SPEED) as exporter:
            page = identities.Page(replay_to_end(exporter))
        identities.check_sums(self, page)
        scrape = page.families
        forks = scrape.by("procevent_forks_total", "comm")
        unattributed = forks["[unattributed programs]"] + scrape.value("procevent_pending", activity="fork")
        self.assertGreaterEqual(forks["storm"] + unattributed, numbers["forks"])
        self.assertGreater(forks["storm"], 0.9 * numbers["forks"])
        self.assertLessEqual(forks["storm"], numbers["forks"])

    def test_tshark_reads_it(self):
        with start_recording(self.path, "--duration=1s") as process:
            subprocess.run(["true"], check=True)
            process.communicate(timeout=harness.DEADLINE_SECONDS)
        packets = self.read_packets()
        output = subprocess.run(["tshark", "-n", "-r", self.path, "-T", "fields", "-e", "frame.protocols", "-e",
                                "netlink.family", "-e", "netlink.hdr_len"], capture_output=True, text=True,
                               check=True, timeout=120)
        families = [line.split("\t")[1:] for line in output.stdout.splitlines()]
        self.assertEqual([(int(family, 0), int(length)) for family, length in families], packets)
        self.assertIn((11, 76), packets)
        self.assertTrue(any(family == 2 for family, _ in packets))

    def read_packets(self):
        """Returns (family, netlink length) of each packet, read without a library."""
        with open(self.path, "rb") as file:
            data = file.read()[24:]
        packets = []
        while data:
            length = int.from_bytes(data[8:12], "little")
            packet, data = data[16:16 + length], data[16 + length:]
            packets.append((int.from_bytes(packet[14:16], "big"), int.from_bytes(packet[16:20], "little")))
        return packets

    def test_standard_output(self):
        with open(self.path, "wb") as file, start_recording("-", "--duration=300ms", stdout=file) as process:
            process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.assertIn((11, 76), self.read_packets())

    def test_full_disk(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.directory.name], check=True)
        self.addCleanup(subprocess.run, ["umount", self.directory.name], check=True)
        with start_recording(self.path) as process:
            with harness.Storm("fork", 3000) as storm:
                storm.wait()
            _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)  # it exits without a signal
        self.assertEqual(process.returncode, 1, log)
        self.assertRegex(log, r"cannot write the capture \S+: No space left on device; .*readable")
        summary, = harness.log_lines(log, "recording stopped", lost=0)
        self.assertLessEqual({"events", "duration_ms", "bytes"}, summary.keys())
        with harness.Exporter(f"--source.replay={self.path}", FULL_SPEED) as exporter:
            scrape = samples.Samples(replay_to_end(exporter))
        self.assertGreater(scrape.value("procevent_events_total", event="fork"), 100)

    def test_start_fails(self):
        rows = (
            ("missing directory", ("/no/such/x.pcap",), {},
             "cannot write the capture /no/such/x.pcap: No such file or directory"),
            ("foreign network", (self.path,), {"preexec_fn": harness.enter_new_network}, "--network host"),
        )
        for name, arguments, options, error in rows:
            with self.subTest(name):
                done = run("record", *arguments, **options)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(error, done.stderr)

    def test_failed_start_keeps_the_old_file(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        done = run("record", self.path, preexec_fn=harness.enter_new_network)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_replay_key_is_rejected(self):
        for command in (("record", self.path), ("doctor",)):
            done = run(*command, f"--source.replay={DEMO}")
            self.assertEqual(done.returncode, 2)
            self.assertIn("source.replay", done.stderr)

    def test_signals_end_it(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), start_recording(self.path) as process:
                process.send_signal(number)
                _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)
                self.assertEqual(process.returncode, 0, log)

    def test_blocked_pipe_does_not_delay_the_stop(self):
        read_fd, write_fd = os.pipe()
        with start_recording("-", stdout=write_fd) as process:
            os.close(write_fd)
            with harness.Storm("fork", 2000) as storm:
                storm.wait()
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)
        os.close(read_fd)
        self.assertEqual(process.returncode, 1)
        self.assertIn("cannot write the capture -: Connection timed out", log)

    def test_pipe_full_at_the_start_does_not_delay_the_stop(self):
        """The snapshot of the running processes is written first and does not fit."""
        for end in ("signal", "--duration"):
            read_fd, write_fd = os.pipe()
            os.set_blocking(write_fd, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(write_fd, bytes(4096))
            os.set_blocking(write_fd, True)
            flags = ["--duration=100ms"] if end == "--duration" else []
            with self.subTest(end), subprocess.Popen(
                    [harness.exporter_binary(), "record", "-", *flags], stdin=subprocess.DEVNULL, stdout=write_fd,
                    stderr=subprocess.PIPE, text=True) as process:
                os.close(write_fd)
                if end == "signal":
                    time.sleep(1)
                    process.send_signal(signal.SIGTERM)
                _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)
                os.close(read_fd)
                self.assertEqual(process.returncode, 1)
                self.assertIn("cannot write the capture -: Connection timed out; ", log)

    def test_file_of_another_user_is_rejected(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        os.chown(self.path, 65534, 65534)
        done = run("record", self.path, "--duration=100ms")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(f"cannot write the capture {self.path}: it belongs to ", done.stderr)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_closed_pipe_is_no_error(self):
        read_fd, write_fd = os.pipe()
        with start_recording("-", stdout=write_fd) as process:
            os.close(write_fd)
            os.close(read_fd)
            with harness.Storm("fork", 2000) as storm:
                storm.wait()
            _, log = process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0, log)

    def test_repeated_recordings(self):
        """Each recording ends its subscription, and the next one is acknowledged."""
        for _ in range(3):
            done = run("record", self.path, "--duration=100ms")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    harness.main()
