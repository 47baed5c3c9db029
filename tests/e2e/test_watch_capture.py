"""`watch --events FILE`: events and names of a capture, in bounded memory and without privilege."""

import json
import os
import re
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import harness
import samples

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "deploy/demo/demo.pcap")
GOLDEN = os.path.join(ROOT, "tests/golden/demo_exposition.txt")


def is_event(packet):
    return packet[30:32] == b"\0\x0b" and len(packet) > 84


def is_exec(packet):
    return is_event(packet) and packet[68:72] == b"\2\0\0\0"


def is_snapshot(packet):
    return packet[30:32] == b"\0\2" and packet[36] == 17


def is_watermark(packet):
    return packet[30:32] == b"\0\2" and packet[36] == 18


def demo_packets():
    """The header of the demo's capture, and its packets."""
    with open(DEMO, "rb") as file:
        data = file.read()
    packets, offset = [], 24
    while offset < len(data):
        end = offset + 16 + int.from_bytes(data[offset + 8:offset + 12], "little")
        packets.append(data[offset:end])
        offset = end
    return data[:24], packets


def first_packets(*filters):
    """The header of the demo's capture, and for each filter the first packet that it accepts."""
    header, packets = demo_packets()
    return header, *(next(filter(accepts, packets)) for accepts in filters)


class Capture(unittest.TestCase):
    def watch(self, *arguments, code=0):
        done = subprocess.run([harness.exporter_binary(), "watch", "--events", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.splitlines(), done.stderr

    def test_all_events_with_names(self):
        lines, err = self.watch(DEMO)
        self.assertEqual(err, "")
        self.assertRegex(lines[0], "^Time +Event +PID +What +Seconds +Command +User$")
        decoded = subprocess.run([harness.exporter_binary(), "decode", DEMO], capture_output=True, text=True,
                                 check=True, timeout=harness.DEADLINE_SECONDS).stdout.splitlines()
        decoded = [event for event in map(json.loads, decoded) if event.get("event", "ack") != "ack"]
        self.assertEqual([line.split()[1] for line in lines[1:]], [event["event"] for event in decoded])
        execs = [line.split() for line in lines if " executes " in line]
        with open(GOLDEN, encoding="utf-8") as file:
            unattributed = samples.Samples(file.read()).value("procevent_execs_total", comm="[unattributed programs]")
        self.assertEqual(sum(words[-2] == "-" for words in execs), unattributed, "as many as in a replay")
        self.assertTrue(all(words[-1].isdecimal() or words[-1] == "-" for words in execs), "users are ids")

    def test_filters(self):
        lines, _ = self.watch("--type=exit", "--comm=sh", "--json", DEMO)
        events = [json.loads(line) for line in lines]
        self.assertEqual({(event["event"], event["command"]) for event in events}, {("exit", "sh")})
        some, _ = self.watch("--duration=5s", DEMO)
        every, _ = self.watch(DEMO)
        self.assertEqual(some, every[:len(some)])
        self.assertIn(len(some), range(10, len(every) - 10))

    def test_losses_in_place(self):
        header, packets = demo_packets()
        datagrams = [at for at, packet in enumerate(packets) if packet[30:32] == b"\0\x0b"]
        for at in datagrams[200:203]:
            packets[at] = b""
        with tempfile.NamedTemporaryFile(prefix="procevent-watch-", suffix=".pcap") as file:
            file.write(header + b"".join(packets))
            file.flush()
            lines, _ = self.watch(file.name)
        lost = [int(line.split()[1]) for line in lines if re.search(r"^-- \d+ events? lost on CPU \d+ --$", line)]
        self.assertEqual(sum(lost), 3)

    def test_invalid_captures(self):
        for path, error in ((ROOT, "it is a directory"), (DEMO + "x", "No such file"),
                            (__file__, "unknown file format"), ("-", "standard input cannot be read twice")):
            with self.subTest(path):
                lines, err = self.watch(path, code=1)
                self.assertEqual(lines, [])
                self.assertRegex(err, rf"^procevent_exporter: cannot .*{error}.*\n$")

    def start(self, path, **options):
        """A watch that waits for the reader of its output."""
        process = subprocess.Popen([harness.exporter_binary(), "watch", "--events", path], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_signals_end_it(self):
        """While it prints, and while it reads the capture before that: its packets are foreign and never end."""
        header, packet = first_packets(is_event)
        with tempfile.NamedTemporaryFile(prefix="procevent-watch-", suffix=".pcap") as file:
            file.write(header + 2_000_000 * (packet[:30] + b"\0\0" + packet[32:]))
            file.flush()
            for number in (signal.SIGINT, signal.SIGTERM):
                for path in (DEMO, file.name):
                    with self.subTest(number=number, path=path):
                        process = self.start(path)
                        if path == DEMO:
                            process.stdout.read(1)
                        else:
                            time.sleep(0.02)
                        process.send_signal(number)
                        self.assertEqual(process.wait(harness.DEADLINE_SECONDS), -number)

    def test_changed_file(self):
        header, packet = first_packets(is_event)
        with tempfile.NamedTemporaryFile(prefix="procevent-watch-", suffix=".pcap") as file:
            with open(DEMO, "rb") as demo:
                file.write(demo.read())
            file.flush()
            process = self.start(file.name)
            process.stdout.read(1)
            file.write(packet)
            file.flush()
            _, err = process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(err.decode(), r"^procevent_exporter: cannot show the capture \S+: the file changed[^\n]*\n$")

    def test_privilege_is_dropped(self):
        process = self.start(DEMO)
        process.stdout.read(1)
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            self.assertRegex(file.read(), r"CapPrm:\s+0+\nCapEff:\s+0+\n")

    def test_memory_is_bounded(self):
        """400 000 programs with their names, in 64 MB of address space."""
        header, exec_packet, snapshot, watermark = first_packets(is_exec, is_snapshot, is_watermark)
        with tempfile.NamedTemporaryFile(prefix="procevent-watch-", suffix=".pcap") as file:
            file.write(header)
            for pid in range(1, 400_001):
                nanos = pid * 1_000_000
                time_of_packet = struct.pack("<II", *divmod(nanos, 10 ** 9))
                # The sequence number, the time and the process; the process, and the time of its snapshot; the time.
                file.write(time_of_packet + exec_packet[8:56] + struct.pack("<I", pid) + exec_packet[60:76] +
                           struct.pack("<QII", nanos, pid, pid) + exec_packet[92:])
                file.write(time_of_packet + snapshot[8:58] + struct.pack("<i", pid) + snapshot[62:66] +
                           struct.pack("<Q", nanos) + snapshot[74:])
                file.write(time_of_packet + watermark[8:56] + struct.pack("<Q", nanos))
            file.flush()
            done = subprocess.run(["prlimit", "--as=64000000", harness.exporter_binary(), "watch", "--events",
                                   file.name], capture_output=True, check=False, timeout=2 * harness.DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 400_001)
        self.assertGreater(sum(line.split()[-2] != b"-" for line in lines[1:]), 399_000)

    def test_process_with_several_threads(self):
        lines, _ = self.watch(DEMO)
        threads = [line.split() for line in lines if re.search(r" fork +\d+ -> thread ", line)]
        self.assertGreater(len(threads), 0)
        self.assertTrue(all(words[-2] != "-" for words in threads), threads)

    def test_closed_pipe_is_no_error(self):
        done = subprocess.run(["bash", "-c", f"{harness.exporter_binary()} watch --events {DEMO} | head -n 1; "
                               'echo "${PIPESTATUS[0]}"'],
                              capture_output=True, text=True, check=False, timeout=harness.DEADLINE_SECONDS)
        self.assertRegex(done.stdout, r"^Time .*\n0\n$")


if __name__ == "__main__":
    harness.main()
