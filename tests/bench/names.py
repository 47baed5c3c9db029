#!/usr/bin/env python3
"""Measures the share of executed programs that get a name, and the CPU of the reader, by drain interval.

Runs programs of different lifetimes, one after the other or with pauses: `tiny` of this folder, which exits at once,
/bin/true, and /bin/sleep for 30 ms. Prints the table of docs/performance.md. Needs root, a release build with tests,
and an idle machine without other programs of these names.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import harness  # noqa: E402
from compare import READER, cpu_nanoseconds  # noqa: E402

SETTLE_SECONDS = 0.2  # exit events arrive after the programs have been waited for
INTERVALS = ("10ms", "2ms", "1ms")


def run_programs(arguments, count, pause):
    for _ in range(count):
        os.waitpid(os.posix_spawn(arguments[0], arguments, {}), 0)
        time.sleep(pause)
    time.sleep(SETTLE_SECONDS)


def named(scrape, comm):
    """Executed programs of that name."""
    return scrape.by("procevent_execs_total", "comm").get(comm, 0)


def measure(interval, arguments, count, pause):
    """The share of named programs, and the reader's share of a core."""
    comm = os.path.basename(arguments[0])
    with harness.Exporter(f"--reader.drain-interval={interval}") as exporter:
        exporter.wait_ready()
        before, start, cpu = named(exporter.scrape(), comm), time.monotonic(), cpu_nanoseconds(exporter.pid(), READER)
        run_programs(arguments, count, pause)
        seconds, cpu = time.monotonic() - start, cpu_nanoseconds(exporter.pid(), READER) - cpu
        return (named(exporter.scrape(), comm) - before) / count, cpu / 1e9 / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build with tests")
    parser.add_argument("--count", type=int, default=1000, help="runs of each program")
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    tiny = os.path.abspath(os.path.join(options.build, "tests", "bench", "tiny"))
    print("| program | " + " | ".join(f"`reader.drain_interval: {interval}`" for interval in INTERVALS) + " |")
    print("| --- " * (1 + len(INTERVALS)) + "|")
    few = options.count // 10
    for name, arguments, count, pause in (("`tiny`, one after the other", [tiny], options.count, 0),
                                          ("`/bin/true`, one after the other", ["/bin/true"], options.count, 0),
                                          ("`/bin/true`, every 50 ms", ["/bin/true"], few, 0.05),
                                          ("`/bin/sleep 0.03`, one after the other", ["/bin/sleep", "0.03"], few, 0)):
        cells = [f"{share:.0%} named, reader {cpu:.1%} of a core"
                 for share, cpu in (measure(interval, arguments, count, pause) for interval in INTERVALS)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
