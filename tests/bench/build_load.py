#!/usr/bin/env python3
"""Measures how much of the activity of a build machine has series of its own, by `groups.limit`.

With --record, first records some minutes of ordinary load: builds of this checkout, shell loops, pipelines and the
tests of --build, all at once and repeated. Then replays the capture at each limit, with scrapes at the capture's own
intervals. The replay whose limit no group exceeds is the truth. Prints one Markdown table for each --exporter, so that
two builds can be compared on one capture. --record needs root; a replay needs no privilege.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.dont_write_bytecode = True
import harness  # noqa: E402

FAMILIES = ("procevent_forks_total", "procevent_execs_total", "procevent_exits_total")
RETIRED = ("fork", "exec", "exit")
OVERFLOW = "[groups beyond the limit]"
# Each runs in a loop of its own, in a new directory $WORK, from the root of the checkout.
LOADS = (
    'cmake -S . -B "$WORK/build" -G "Unix Makefiles" -DPROCEVENT_TESTS=OFF && nice make -C "$WORK/build" -j2',
    "for i in $(seq 50); do "
    "find . -name '*.cc' | head -40 | xargs grep -l include | sort | uniq -c | awk '{print $2}' | sed 's/cc$/h/'; "
    "for file in docs/*.md; do basename $(dirname $file); tr a-z A-Z <$file | cut -c1-80 | sort -u | md5sum; done; "
    "git log --oneline -20 | cat; git status --short | wc -l; date; sleep 0.2; done",
    'nice ctest --test-dir "$BUILD" -E "live|e2e_|docs_|deploy_|library" --timeout 120',
    "for i in $(seq 20); do tar -cf - docs config | gzip -1 | gunzip | tar -tf - | wc -l; "
    'cp -r docs "$WORK/docs"; ls -lR "$WORK" | tail -1; rm -r "$WORK/docs"; '
    'python3 -c "import json, subprocess; subprocess.run([\'true\'])"; perl -e "print 1"; '
    "diff -rq docs docs; expr 1 + 1; id -un; hostname; sleep 1; done",
)


def repeat(command, build, stop):
    """Runs a command again and again until `stop` is set. It may fail: only its processes matter."""
    while not stop.is_set():
        with tempfile.TemporaryDirectory(prefix="procevent-load-", ignore_cleanup_errors=True) as work:
            process = subprocess.Popen(["/bin/bash", "-c", command], cwd=ROOT, process_group=0,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env={**os.environ, "WORK": work, "BUILD": build})
            while process.poll() is None and not stop.wait(0.2):
                pass
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def record(binary, capture, seconds, build):
    """Records the events of the loads for some seconds."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(LOADS)) as pool:
        for command in LOADS:
            pool.submit(repeat, command, build, stop)
        try:
            subprocess.run([binary, "record", capture, f"--duration={seconds}s"], check=True, stdin=subprocess.DEVNULL,
                           timeout=seconds + 60)
        finally:
            stop.set()


@dataclasses.dataclass
class Replay:
    """The content of a replay's pages, in sums of FAMILIES."""
    groups: int = 0
    displaced: int = 0
    commands: set = dataclasses.field(default_factory=set)  # that had a series on any page
    overflowed: float = 0
    retired: float = 0
    total: float = 0  # of all groups, reserved and retired ones included
    grown: float = 0  # of all commands, as increase() shows it: from page to page, without a series' first value
    named: float = 0  # in series of commands on the last page, less those on the first


def series_of(page):
    """The samples of FAMILIES, by family and labels."""
    return {(family, *sorted(labels.items())): value for family in FAMILIES for labels, value in page.rows(family)}


def command_of(key):
    return dict(key[1:])["comm"]


def is_reserved(command):
    return command.startswith("[")


def named(series):
    """The sum of the series of commands, without reserved groups."""
    return sum(value for key, value in series.items() if not is_reserved(command_of(key)))


def add_page(result, before, page):
    now = series_of(page)
    if before is None:
        result.named = -named(now)
    for key, value in now.items():
        if is_reserved(command_of(key)):
            continue
        result.commands.add(command_of(key))
        if before is not None and key in before:
            # A smaller value is a counter that began again at 0.
            result.grown += value - before[key] if value >= before[key] else value
    return now


def replay(binary, capture, speed, scrape_seconds, limit):
    """Replays the capture with a scrape every `scrape_seconds` of its own time."""
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(binary)
    result, before = Replay(), None
    with harness.Exporter(f"--source.replay={capture}", f"--source.replay-speed={speed}",
                          f"--groups.limit={limit}") as exporter:
        exporter.wait_ready()
        start, finished = time.monotonic(), False
        for number in range(1, sys.maxsize):
            finished = bool(harness.log_lines(exporter.log(), "replay finished"))
            page = exporter.scrape()
            before = add_page(result, before, page)
            if finished:
                break
            time.sleep(max(0, start + number * scrape_seconds / speed - time.monotonic()))
        before = add_page(result, before, exporter.scrape())  # series that the page before showed as 0
    result.groups = int(page.value("procevent_groups"))
    result.displaced = int(page.sum("procevent_groups_displaced_total")
                           if "procevent_groups_displaced_total" in page.names() else 0)
    result.overflowed = sum(value for key, value in before.items() if command_of(key) == OVERFLOW)
    result.retired = sum(value for activity, value in page.by("procevent_retired_total", "activity").items()
                         if activity in RETIRED)
    result.total = sum(before.values()) + result.retired
    result.named += named(before)
    return result


def row(limit, result, truth):
    """The share with a series of its own, and the share that increase() shows under the command."""
    with_series = 1 - result.overflowed / result.total
    return (f"| {limit} | {result.groups} | {result.displaced} | {len(result.commands)} | {with_series:.2%} "
            f"| {result.retired / result.total:.2%} | {result.grown / truth.named:.2%} |")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", action="append", required=True, help="binary to replay with; repeatable")
    parser.add_argument("--capture", required=True, help="file to record, or to replay only")
    parser.add_argument("--record", type=int, metavar="SECONDS", help="record first, with the first binary")
    parser.add_argument("--build", default="build/dev", help="directory of a build with tests, part of the load")
    parser.add_argument("--limits", default="25,50,100,500", help="values of groups.limit, beside the truth")
    parser.add_argument("--truth", type=int, default=10000, help="a limit that no number of groups exceeds")
    parser.add_argument("--speed", type=int, default=20, help="multiple of the recorded speed")
    parser.add_argument("--scrape-seconds", type=float, default=15, help="interval of scrapes, in the capture's time")
    return parser.parse_args()


def main():
    options = parse_options()
    if options.record:
        record(options.exporter[0], options.capture, options.record, os.path.abspath(options.build))
    limits = [int(limit) for limit in options.limits.split(",")]
    for binary in options.exporter:
        truth = replay(binary, options.capture, options.speed, options.scrape_seconds, options.truth)
        print(f"`{binary}`: {truth.total:.0f} forks, execs and exits\n\n"
              "| `groups.limit` | groups | displaced | commands with a series | counted in a series of its own "
              "| of that, retired | shown by `increase()` |\n" + "| --- " * 7 + "|", flush=True)
        for limit in limits:
            result = replay(binary, options.capture, options.speed, options.scrape_seconds, limit)
            print(row(limit, result, truth), flush=True)
        print(row(options.truth, truth, truth) + "\n", flush=True)


if __name__ == "__main__":
    main()
