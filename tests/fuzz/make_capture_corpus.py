#!/usr/bin/env python3
"""Writes the seeds of capture_fuzz: make_capture_corpus.py [FOLDER].

The seeds are in the repository. Run this script again after a change of a format.
"""
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = 24
PROC_READ = 17  # the kind of a record


def packets_of(data):
    while data:
        size = 16 + struct.unpack_from("<I", data, 8)[0]
        yield data[:size]
        data = data[size:]


def family_of(packet):
    return struct.unpack_from(">H", packet, 30)[0]


def type_of(packet):
    return struct.unpack_from("<H", packet, 36)[0]


def as_version_2(record, kind=None, appended=b""):
    """A record of version 1 as one of version 2, of another kind and with further fields at its end."""
    body = record[56:] + (b"\x02\0\0\0" if type_of(record) == PROC_READ else b"") + appended
    head = struct.pack("<IH", 24 + len(body), kind or type_of(record)) + record[38:55] + b"\x02"
    size = struct.pack("<II", 16 + len(head + body), 16 + len(head + body))
    return record[:8] + size + record[16:32] + head + body


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/fuzz/corpus/capture")
    folder.mkdir(parents=True, exist_ok=True)
    demo = (ROOT / "deploy/demo/demo.pcap").read_bytes()
    head, packets = demo[:HEAD], list(packets_of(demo[HEAD:]))
    datagrams = [packet for packet in packets if family_of(packet) == 11]
    records = [packet for packet in packets if family_of(packet) == 2]
    one_of_each = list({type_of(packet): packet for packet in records}.values())
    version_2 = [as_version_2(record) for record in one_of_each]
    events = {packet[68:72]: packet for packet in datagrams}  # one of each kind, by the field `what`
    seeds = {
        "head_alone": head,
        "beginning": head + b"".join(packets[:60]),
        "datagrams": head + b"".join(datagrams[:20]),
        "events": head + b"".join(events.values()),
        "records": head + b"".join(one_of_each),
        "records_and_events": head + b"".join(one_of_each + list(events.values())),
        "version_2": head + b"".join(version_2 + list(events.values())),
        "appended_fields": head + b"".join(as_version_2(record, appended=b"new") for record in one_of_each) + datagrams[0],
        "unknown_kind": head + version_2[0] + datagrams[0] + as_version_2(records[0], kind=22, appended=b"x" * 2000),
        "unknown_kind_version_1": head + packets[0] + datagrams[0] + as_version_2(records[0], kind=22)[:55] + b"\x01"
        + records[0][56:],
        "cut": (head + b"".join(packets[:3]))[:-5],
        "microseconds": b"\xd4\xc3\xb2\xa1" + head[4:] + b"".join(packets[:5]),
        "other_link_type": head[:20] + b"\x01\0\0\0" + b"".join(packets[:5]),
        "two_openings": head + packets[0] + packets[0] + datagrams[0],
        "loss": head + packets[0] + datagrams[0] + datagrams[40],
        "text": b"#!/bin/sh\n",
    }
    for name, seed in seeds.items():
        (folder / name).write_bytes(seed)


if __name__ == "__main__":
    main()
