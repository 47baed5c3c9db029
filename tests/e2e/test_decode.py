"""`decode` and `encode` with files, pipes, invalid lines and a broken configuration."""

import json
import os
import select
import signal
import struct
import subprocess
import tempfile
import unittest

import connector
import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "deploy/demo/demo.pcap")
EVENTS = ("ack", "fork", "exec", "exit", "uid", "gid", "sid", "ptrace", "comm", "coredump", "unknown")
FORK = ('{"event":"fork","cpu":1,"timestamp_ns":5,"seq":9,"parent_pid":1,"parent_tgid":2,"child_pid":3,'
        '"child_tgid":4}')
FORK_HEX = ("4c000000030000000900000000000000" "0100000001000000090000000000000028000000"
            "01000000010000000500000000000000" "01000000020000000300000004000000" "0000000000000000")
HEAD = '"cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1'
LINES = [
    FORK,
    '{"event":"ack","cpu":4294967295,"timestamp_ns":1,"seq":2,"ack":3,"err":0}',
    f'{{"event":"exec",{HEAD}}}',
    f'{{"event":"exit",{HEAD},"exit_code":256,"exit_signal":17,"parent_pid":1,"parent_tgid":1,"status":1}}',
    f'{{"event":"exit",{HEAD},"exit_code":139,"exit_signal":17,"parent_pid":1,"parent_tgid":1,"signal":11,'
    '"core_dumped":true}',
    f'{{"event":"uid",{HEAD},"ruid":0,"euid":1000}}',
    f'{{"event":"gid",{HEAD},"rgid":0,"egid":1000}}',
    f'{{"event":"sid",{HEAD}}}',
    f'{{"event":"ptrace",{HEAD},"tracer_pid":2,"tracer_tgid":2}}',
    f'{{"event":"comm",{HEAD},"comm":"caf\u00e9"}}',
    f'{{"event":"comm",{HEAD},"comm":"a\\\\xff","comm_hex":"61ff0000000000000000000000000000"}}',
    f'{{"event":"coredump",{HEAD},"parent_pid":2,"parent_tgid":2}}',
    '{"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0,"what":1024,"payload":"0102"}',
    '{"control":"noop"}', '{"control":"done"}', '{"control":"ack"}',
    *(f'{{"error":"truncated","layer":"{layer}"}}' for layer in ("netlink", "connector", "header", "body")),
    '{"error":"wrong_connector"}', '{"error":"overrun"}', '{"error":"kernel","errno":13}',
    '{"error":"reserved_type"}', '{"error":"wrong_length"}',
]


def pcap(*packets, link_type=253):
    """A capture of connector datagrams, and of packets of other families given as (family, bytes)."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)]
    for packet in packets:
        family, payload = packet if isinstance(packet, tuple) else (11, packet)
        data = struct.pack(">HH10xH", 4, 824, family) + payload
        parts.append(struct.pack("<IIII", 1, 2, len(data), len(data)) + data)
    return b"".join(parts)


class Decode(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="procevent-decode-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run_with(self, *arguments, stdin="", code=0, **options):
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run([harness.exporter_binary(), *arguments], input=data, capture_output=True, check=False,
                              timeout=harness.DEADLINE_SECONDS, **options)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def test_round_trip_of_every_line(self):
        text = "".join(line + "\n" for line in LINES)
        datagrams, _ = self.run_with("encode", stdin=text)
        self.assertEqual(len(datagrams.splitlines()), len(LINES))
        out, err = self.run_with("decode", "--hex", stdin=datagrams)
        self.assertEqual((out, err), (text, ""))
        self.assertEqual({line.get("event") for line in map(json.loads, out.splitlines())} - {None}, set(EVENTS))

    def test_datagram_of_the_kernel(self):
        self.assertEqual(self.run_with("encode", stdin=FORK)[0], FORK_HEX + "\n")
        self.assertEqual(self.run_with("decode", "--hex", stdin=FORK_HEX.upper())[0], FORK + "\n")

    def test_input_from_file_and_stdin(self):
        path = self.file("fork.hex", FORK_HEX + "\n")
        for arguments, stdin in (((), FORK_HEX), (("-",), FORK_HEX), ((path,), ""), ((path, "--hex"), "")):
            with self.subTest(arguments):
                self.assertEqual(self.run_with("decode", "--hex", *arguments, stdin=stdin)[0], FORK + "\n")

    def test_several_messages_in_one_datagram(self):
        out, _ = self.run_with("decode", "--hex", stdin=FORK_HEX + "10000000010000000000000000000000" + FORK_HEX)
        self.assertEqual(out.splitlines(), [FORK, '{"control":"noop"}', FORK])

    def test_invalid_lines_are_reported_and_the_others_converted(self):
        path = self.file("bad.hex", f"{FORK_HEX}\n\nno hex\n  {FORK_HEX}\r\n{FORK_HEX}0\n{'0' * 300000}\n{FORK_HEX}")
        out, err = self.run_with("decode", "--hex", path, code=1)
        self.assertEqual(out.splitlines(), 3 * [FORK])
        expected = ((3, '"no hex"', "even number of hex digits"),
                    (5, f'"{FORK_HEX[:80]}..."', "even number of hex digits"), (6, "too long", "256KiB"))
        self.assertEqual(len(err.splitlines()), len(expected), err)
        for line, (number, *parts) in zip(err.splitlines(), expected):
            self.assertTrue(line.startswith(f"{path}:{number}: "), line)
            for part in parts:
                self.assertIn(part, line)
        out, err = self.run_with("encode", stdin=f'{FORK}\n{{"event":"frok"}}\nfork\n{FORK}\n', code=1)
        self.assertEqual(out.splitlines(), 2 * [FORK_HEX])
        first, second = err.splitlines()
        self.assertRegex(first, r'^standard input:2: event: .*"frok": .*did you mean "fork"\?$')
        self.assertRegex(second, r"^standard input:3: .*JSON at byte 2\b.*one object")

    def test_errors_are_printable(self):
        for command in (("decode", "--hex"), ("encode",)):
            for line in (b"\x1b[2J", b"\xff\xfe", b"\xc2\x9b31m", b'{"\x1b":1}', b'{"event":"\\u001b[2J"}'):
                with self.subTest(command=command, line=line):
                    _, err = self.run_with(*command, stdin=line, code=1)
                    self.assertTrue(err.rstrip("\n").isprintable(), err)

    def test_unreadable_file(self):
        for command in (("decode", "--hex"), ("decode",), ("encode",)):
            with self.subTest(command):
                out, err = self.run_with(*command, os.path.join(self.directory, "none"), code=1)
                self.assertEqual(out, "")
                self.assertRegex(err, r"^procevent_exporter: cannot [^\n]*none: No such file or directory; give ")
                out, err = self.run_with(*command, self.directory, code=1)
                self.assertEqual((out, len(err.splitlines())), ("", 1))
                self.assertIn(self.directory, err)
                self.assertRegex(err, r"Is a directory|cannot .*capture")

    def test_empty_input(self):
        self.assertEqual(self.run_with("encode"), ("", ""))
        self.assertEqual(self.run_with("decode", "--hex", stdin="\n \n"), ("", ""))

    def test_capture(self):
        fork, noop = bytes.fromhex(FORK_HEX), bytes.fromhex("10000000010000000000000000000000")
        capture = pcap(fork, noop + fork, (0, fork), (2, b"record"), b"", b"\1", fork)
        lines = [FORK, '{"control":"noop"}', FORK, '{"error":"truncated","layer":"netlink"}', FORK]
        for arguments, stdin in (((self.file("a.pcap", capture),), ""), (("-",), capture), ((), capture)):
            with self.subTest(arguments):
                out, err = self.run_with("decode", *arguments, stdin=stdin)
                self.assertEqual((out.splitlines(), err), (lines, ""))

    def test_names_of_the_demo(self):
        out, err = self.run_with("decode", DEMO)
        self.assertEqual(err, "")
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(lines[0]["record"], "metadata")
        self.assertEqual({line["comm"] for line in lines if line.get("record") == "process" and line["pid"] == 2},
                         {"kthreadd"})
        datagrams, err = self.run_with("encode", stdin=out)
        self.assertEqual(err, "", "records are skipped")
        again, _ = self.run_with("decode", "--hex", stdin=datagrams)
        self.assertEqual(again.splitlines(), [line for line in out.splitlines() if not line.startswith('{"record":')])

    def test_only_records_are_skipped(self):
        out, err = self.run_with("encode", stdin=f'{{"record":"new"}}\n{{"record":garbage\n{{"record":5}}\n{FORK}\n',
                                 code=1)
        self.assertEqual(out.splitlines(), [FORK_HEX])
        first, second = err.splitlines()
        self.assertRegex(first, r"^standard input:2: .*JSON at byte \d+\b")
        self.assertRegex(second, r"^standard input:3: .*missing key event")

    def test_privilege_is_dropped(self):
        for command, line in ((("decode", "--hex"), FORK_HEX.encode() + b"\n"), (("encode",), FORK.encode() + b"\n"),
                              (("decode",), pcap(bytes.fromhex(FORK_HEX)))):
            with self.subTest(command), subprocess.Popen(
                    [harness.exporter_binary(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdin.write(line)
                process.stdin.flush()
                os.read(process.stdout.fileno(), 4096)
                with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                    self.assertRegex(file.read(), r"CapPrm:\s+0+\nCapEff:\s+0+\n")
                process.stdin.close()

    def test_truncated_capture(self):
        whole = pcap(*(bytes.fromhex(FORK_HEX),) * 3)
        path = self.file("cut.pcap", whole[:-1])
        out, err = self.run_with("decode", path, code=1)
        self.assertEqual(out.splitlines(), 2 * [FORK])
        self.assertRegex(err, r"^[^\n]*cut\.pcap[^\n]* offset \d+[^\n]*\n$")

    def test_invalid_capture(self):
        for content in (b"", b"no capture", FORK_HEX, pcap(link_type=1), pcap()[:20]):
            with self.subTest(content):
                out, err = self.run_with("decode", self.file("x.pcap", content), code=1)
                self.assertEqual((out, len(err.splitlines())), ("", 1))
                self.assertIn("x.pcap", err)

    def test_pipe_is_converted_without_delay(self):
        capture = pcap(bytes.fromhex(FORK_HEX))
        for command, line, output in ((("decode", "--hex"), FORK_HEX.encode() + b"\n", FORK),
                                      (("encode",), FORK.encode() + b"\n", FORK_HEX), (("decode",), capture, FORK)):
            with self.subTest(command), subprocess.Popen(
                    [harness.exporter_binary(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdin.write(line)
                process.stdin.flush()
                self.assertTrue(select.select([process.stdout], [], [], harness.DEADLINE_SECONDS)[0], "no output")
                self.assertEqual(os.read(process.stdout.fileno(), 4096).decode(), output + "\n")
                process.stdin.close()
                self.assertEqual(process.wait(harness.DEADLINE_SECONDS), 0)

    def test_closed_pipe_is_no_error(self):
        hexes = self.file("many.hex", (FORK_HEX + "\n") * 100000)
        lines = self.file("many", (FORK + "\n") * 100000)
        capture = self.file("many.pcap", pcap(*(bytes.fromhex(FORK_HEX),) * 100000))
        for ignored in (False, True):
            for command in (f"decode --hex {hexes}", f"encode {lines}", f"decode {capture}"):
                with self.subTest(command=command, ignored=ignored):
                    done = subprocess.run(["bash", "-c", f"{harness.exporter_binary()} {command} | head -n 1; "
                                           'echo "${PIPESTATUS[0]}"'],
                                          capture_output=True, check=False, timeout=harness.DEADLINE_SECONDS,
                                          restore_signals=not ignored)
                    self.assertEqual(done.stdout.decode().splitlines()[1:], ["0"])
                    self.assertEqual(done.stderr, b"")

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.exporter_binary(), "encode"], input=FORK.encode(), stdout=full,
                                  stderr=subprocess.PIPE, check=False, timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(),
                         r"^procevent_exporter: cannot write [^\n]*standard output: No space left on device; [^\n]+\n$")

    def test_closed_descriptor_is_reported(self):
        capture = self.file("a.pcap", pcap(bytes.fromhex(FORK_HEX)))
        lines = self.file("lines", FORK + "\n")
        cases = ((f"decode {capture} >&-", r"^procevent_exporter: cannot write [^\n]*standard output: Bad file descriptor"),
                 (f"encode {lines} >&-", r"^procevent_exporter: cannot write [^\n]*standard output: Bad file descriptor"),
                 ("encode <&-", r"^procevent_exporter: cannot read [^\n]*standard input: Bad file descriptor"),
                 ("decode --hex <&-", r"^procevent_exporter: cannot read [^\n]*standard input: Bad file descriptor"))
        for command, error in cases:
            with self.subTest(command):
                done = subprocess.run(["bash", "-c", f"{harness.exporter_binary()} {command}"], capture_output=True,
                                      check=False, timeout=harness.DEADLINE_SECONDS)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertRegex(done.stderr.decode(), error)

    def test_many_invalid_lines_are_counted(self):
        for command in ("decode --hex", "encode"):
            good = FORK_HEX if "hex" in command else FORK
            with self.subTest(command):
                out, err = self.run_with(*command.split(), stdin="x\n" * 5000 + good + "\n", code=1)
                self.assertEqual(len(out.splitlines()), 1)
                errors = err.splitlines()
                self.assertEqual(len(errors), 102)
                self.assertTrue(errors[99].startswith("standard input:100: "), errors[99])
                self.assertRegex(errors[100], r"^standard input: 100 .*only counted")
                self.assertRegex(errors[101], r"^standard input: 5000 .*right file")

    def test_needs_no_configuration_and_no_privilege(self):
        broken = {**os.environ, "PROCEVENT_CONFIG_FILE": self.file("broken.yml", "{"), "PROCEVENT_LOG_LEVEL": "loud"}
        self.assertEqual(self.run_with("encode", stdin=FORK, env=broken)[0], FORK_HEX + "\n")
        if os.geteuid() == 0 and harness.unprivileged_skip_reason() is None:
            self.assertEqual(self.run_with("decode", "--hex", stdin=FORK_HEX, env=broken, user=65534)[0], FORK + "\n")

    def test_the_largest_message(self):
        payload = "ab" * (0xFFFF - 16)
        line = f'{{"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0,"what":1024,"payload":"{payload}"}}\n'
        datagram, _ = self.run_with("encode", stdin=line)
        self.assertEqual(self.run_with("decode", "--hex", stdin=datagram)[0], line)

    def test_memory_is_bounded(self):
        """Input of 30 MB, as lines and as one line, in 32 MB of address space. Half of that is needed to start."""
        limit = ("prlimit", "--as=32000000")
        for text in ((FORK_HEX + "\n") * 200000, "0" * 30000000):
            done = subprocess.run([*limit, harness.exporter_binary(), "decode", "--hex"], input=text.encode(),
                                  capture_output=True, check=False, timeout=2 * harness.DEADLINE_SECONDS)
            self.assertEqual(len(done.stdout.splitlines()), text.count("\n"), done.stderr)


class Live(harness.LiveTest):
    def test_datagrams_of_the_kernel(self):
        with connector.Connector(1 << 20) as listener:
            self.assertTrue(listener.listen())
            child = subprocess.Popen(["sh", "-c", "kill -TERM $$"])
            child.wait()
            datagrams = []

            def received():
                datagrams.extend(datagram.hex() for datagram in listener.datagrams())
                return any(line.get("process_pid") == child.pid and line["event"] == "exit"
                           for line in self.decode(datagrams))

            harness.wait_for("the child's exit", received)
        child_lines = [line for line in self.decode(datagrams)
                    if child.pid in (line.get("process_pid"), line.get("child_pid"))]
        self.assertEqual([line["event"] for line in child_lines if line["event"] in ("fork", "exec", "exit")],
                         ["fork", "exec", "exit"])
        self.assertEqual((child_lines[-1]["signal"], child_lines[-1]["core_dumped"]), (signal.SIGTERM, False))
        self.check_round_trip(datagrams)

    def run_with(self, *arguments, stdin):
        return subprocess.run([harness.exporter_binary(), *arguments], input=stdin, text=True, check=True,
                              stdout=subprocess.PIPE, timeout=harness.DEADLINE_SECONDS).stdout

    def decode(self, datagrams):
        return [json.loads(line) for line in self.run_with("decode", "--hex", stdin="\n".join(datagrams)).splitlines()]

    def check_round_trip(self, datagrams):
        lines = self.run_with("decode", "--hex", stdin="\n".join(datagrams))
        self.assertEqual(self.run_with("decode", "--hex", stdin=self.run_with("encode", stdin=lines)), lines)


if __name__ == "__main__":
    harness.main()
