#!/usr/bin/env python3
"""Writes the seeds of json_fuzz: make_json_corpus.py [FOLDER].

The seeds are in the repository. Run this script again after a change of a format.
"""
import json
import pathlib
import sys

HEAD = {"cpu": 1, "timestamp_ns": 123456789, "seq": 7}
PROCESS = {"process_pid": 1, "process_tgid": 2}
PARENT = {"parent_pid": 3, "parent_tgid": 4}
BODIES = {
    "ack": {"ack": 9, "err": 0},
    "fork": {**PARENT, "child_pid": 5, "child_tgid": 6},
    "exec": PROCESS,
    "uid": {**PROCESS, "ruid": 0, "euid": 1000},
    "gid": {**PROCESS, "rgid": 0, "egid": 1000},
    "sid": PROCESS,
    "ptrace": {**PROCESS, "tracer_pid": 0, "tracer_tgid": 0},
    "comm": {**PROCESS, "comm": "kworker/0:1-eve"},
    "coredump": {**PROCESS, **PARENT},
    "exit": {**PROCESS, "exit_code": 256, "exit_signal": 17, **PARENT, "status": 1},
    "unknown": {"what": 1024, "payload": "0102ff"},
}


def event(name, **more):
    return json.dumps({"event": name, **HEAD, **BODIES[name], **more})


def seeds():
    for name in BODIES:
        yield name, event(name)
    yield "comm_hex", event("comm", comm="a\\xff", comm_hex="61ff" + 28 * "0")
    yield "comm_escaped", event("comm", comm="\u00e9\"\\\n")
    yield "killed", event("exit", exit_code=139, signal=11, core_dumped=True).replace(' "status": 1,', "")
    yield "bounds", event("fork", cpu=2**32 - 1, timestamp_ns=2**64 - 1, parent_pid=-2**31)
    yield "controls", '{"control":"noop"}'
    for layer in ("netlink", "connector", "header", "body"):
        yield f"truncated_{layer}", f'{{"error":"truncated","layer":"{layer}"}}'
    for error in ("wrong_connector", "overrun", "reserved_type", "wrong_length"):
        yield error, f'{{"error":"{error}"}}'
    yield "kernel", '{"error":"kernel","errno":111}'
    yield "wrong_what", event("unknown", what=1)
    yield "wrong_status", event("exit", status=2)
    yield "unknown_key", event("sid", colour="red")
    yield "twice", '{"control":"noop","control":"done"}'
    yield "nested", "[" * 40 + "{" + '"event":' + "[" * 40
    yield "fraction", event("sid", process_pid=1.5)
    yield "no_bounds", '{"event":"sid","cpu":1e999}'
    yield "surrogate", '{"control":"\\ud83d\\udc27\\ud800"}'


def main():
    here = pathlib.Path(__file__).parent / "corpus" / "json"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    for name, line in seeds():
        (folder / name).write_text(line, encoding="utf-8")


main()
