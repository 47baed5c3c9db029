#!/usr/bin/env python3
"""Writes the seeds of decode_fuzz: make_decode_corpus.py [FOLDER].

The seeds are in the repository. Run this script again after a change of a format.
"""
import pathlib
import struct
import sys

NOOP, ERROR, DONE, OVERRUN = 1, 2, 3, 4
BODIES = {
    "ack": (0x0, struct.pack("<I", 22)),
    "fork": (0x1, struct.pack("<4i", 1, 2, 3, 4)),
    "exec": (0x2, struct.pack("<2i", 1, 2)),
    "uid": (0x4, struct.pack("<2i2I", 1, 2, 1000, 0)),
    "gid": (0x40, struct.pack("<2i2I", 1, 2, 1000, 0)),
    "sid": (0x80, struct.pack("<2i", 1, 2)),
    "ptrace": (0x100, struct.pack("<4i", 1, 2, 3, 4)),
    "comm": (0x200, struct.pack("<2i16s", 1, 2, b"kworker/0:1-eve")),
    "nonzero_exit": (0x20000000, struct.pack("<2i2I2i", 1, 2, 0x100, 17, 3, 4)),
    "coredump": (0x40000000, struct.pack("<4i", 1, 2, 3, 4)),
    "exit": (0x80000000, struct.pack("<2i2I2i", 1, 2, 0x8B, 17, 3, 4)),
}


def netlink(kind, payload, length=None):
    length = 16 + len(payload) if length is None else length
    return struct.pack("<IHHII", length, kind, 0, 0, 0) + payload + b"\0" * (-len(payload) % 4)


def connector(data, ids=(1, 1), length=None):
    length = len(data) if length is None else length
    return struct.pack("<IIIIHH", *ids, 7, 9, length, 0) + data


def event(name, size=40):
    what, body = BODIES[name]
    return (struct.pack("<IIQ", what, 1, 123456789) + body).ljust(size, b"\0")


def seeds():
    for name in BODIES:
        yield name, netlink(DONE, connector(event(name)))
    fork = netlink(DONE, connector(event("fork")))
    short_exit = event("exit", 32)[:32]
    unknown = struct.pack("<IIQ", 0x400, 1, 5)
    yield "exit_without_parent", netlink(DONE, connector(short_exit))
    yield "unknown_empty", netlink(DONE, connector(unknown))
    yield "unknown_odd", netlink(DONE, connector(unknown + b"abc"))
    yield "data_type_16", netlink(16, connector(event("fork")))
    yield "empty", b""
    yield "noop", netlink(NOOP, b"")
    yield "done_empty", netlink(DONE, b"")
    yield "overrun", netlink(OVERRUN, b"")
    yield "reserved_type", netlink(9, b"")
    yield "acknowledgement", netlink(ERROR, struct.pack("<i16x", 0))
    yield "kernel_error", netlink(ERROR, struct.pack("<i16x", -111))
    yield "kernel_error_lowest", netlink(ERROR, struct.pack("<i", -(2**31)))
    yield "kernel_error_short", netlink(ERROR, b"\xff\xff")
    yield "foreign_connector", netlink(DONE, connector(event("fork"), ids=(1, 2)))
    yield "several", fork + netlink(DONE, connector(unknown + b"a")) + netlink(NOOP, b"") + fork
    yield "padded_after_event", fork + b"\0" * 21
    yield "padded_inside_message", netlink(DONE, connector(event("exec")[:24]) + b"\0" * 16)
    yield "trailing_bytes", fork + b"\x4c\0\0"
    yield "cut_in_netlink_header", fork[:11]
    yield "cut_in_connector_header", fork[:30]
    yield "cut_in_event_header", fork[:45]
    yield "cut_in_body", fork[:60]
    yield "cut_after_body", fork[:70]
    yield "netlink_length_short", netlink(DONE, connector(event("fork")), length=15)
    yield "netlink_length_long", netlink(DONE, connector(event("fork")), length=0xFFFFFFFF)
    yield "connector_length_short", netlink(DONE, connector(event("comm"), length=24))
    yield "connector_length_long", netlink(DONE, connector(event("fork"), length=0xFFFF))


def main():
    here = pathlib.Path(__file__).parent / "corpus" / "decode"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)


main()
