#!/usr/bin/env python3
"""Measures the share of a core that the exporter and forkstat use at fixed rates of programs.

Starts /bin/true at each rate, one after the other, while both programs listen. The exporter is scraped once for each
rate. Prints the table of docs/performance.md. Needs root, a release build with tests, forkstat, and an idle machine.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import connector  # noqa: E402
import harness  # noqa: E402
from processes import cpu_ns  # noqa: E402

RATES = (0, 10, 100, 300)  # programs per second
SETTLE_SECONDS = 1  # the start of both listeners


def run_programs(rate, seconds):
    """Returns the number of programs. Starts that are late are made up for."""
    begin, started = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds:
        if started < passed * rate:
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
            started += 1
        else:
            time.sleep(min(1 / rate if rate else seconds, seconds - passed))
    return started


@contextlib.contextmanager
def forkstat():
    with subprocess.Popen(["forkstat"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()
            connector.reset_listener_count()  # forkstat ends without unsubscribing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build with tests")
    parser.add_argument("--seconds", type=float, default=30, help="duration of each rate")
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    print("| programs per second | exporter, of a core | forkstat, of a core |\n| --- | --- | --- |")
    with forkstat() as other, harness.Exporter() as exporter:
        exporter.wait_ready()
        time.sleep(SETTLE_SECONDS)
        pids = (exporter.pid(), other)
        for rate in RATES:
            before, begin = [cpu_ns(pid) for pid in pids], time.monotonic()
            started = run_programs(rate, options.seconds)
            exporter.scrape()
            seconds = time.monotonic() - begin
            shares = [(cpu_ns(pid) - start) / 1e9 / seconds for pid, start in zip(pids, before)]
            print(f"| {started / seconds:.0f} | " + " | ".join(f"{share:.2%}" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
