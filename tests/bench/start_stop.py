#!/usr/bin/env python3
"""Measures how long the exporter takes to start and to stop, and its memory and threads at rest.

Starts it --runs times, each with the real connector. Prints medians and the highest values as the table of
docs/performance.md. Needs root and a release build.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import harness  # noqa: E402
from processes import memory_mib  # noqa: E402

REST_SECONDS = 1


def measure():
    """Figures of one run, by name: value and unit."""
    start = time.monotonic()
    with harness.Exporter() as exporter:
        exporter.wait_ready()
        ready = time.monotonic() - start
        time.sleep(REST_SECONDS)
        resident = memory_mib(exporter.pid(), "VmRSS")
        threads = len(os.listdir(f"/proc/{exporter.pid()}/task"))
        stop = exporter.stop()[1]
    return {"start of the process to 200 at `/-/ready`": (ready * 1e3, "ms"), "SIGTERM to exit": (stop * 1e3, "ms"),
            "resident memory before the first scrape": (resident, "MiB"), "threads": (threads, "")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    runs = [measure() for _ in range(options.runs)]
    print("| figure | median | highest |\n| --- | --- | --- |")
    for name, (_, unit) in runs[0].items():
        values = [run[name][0] for run in runs]
        cells = (f"{value:.3g} {unit}".strip() for value in (statistics.median(values), max(values)))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
