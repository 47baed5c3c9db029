#!/usr/bin/env python3
"""Measures the cost of the exporter's reader, compared with a bare loop that only receives and counts, and with no
subscriber.

Each round runs the same storm three times: alone, with the bare loop, and with the exporter. Prints medians over the
rounds as a Markdown table, and with --json all measurements. Needs root, a release build, and an idle machine without
other subscribers.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import connector  # noqa: E402
import harness  # noqa: E402
import measure as e2e_measure  # noqa: E402

READER = "pe-reader"
SETTLE_SECONDS = 0.2  # exit events arrive after the storm's waits have returned, and the reader drains every 10 ms
LISTENERS = ("none", "bare", "exporter")


def cpu_nanoseconds(pid, name=None):
    """CPU time of the thread with that name, or of the first thread without a name."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
            if file.read().strip() == name or (name is None and int(thread) == pid):
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as schedstat:
                    return int(schedstat.read().split()[0])
    raise RuntimeError(f"process {pid} has no thread {name}")


def run_storm(options, kind):
    command = [options.storm, "--kind", kind, "--count", str(options.count), "--workers", str(options.workers)]
    if options.cpus:
        command += ["--cpus", options.cpus]
    storm = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    time.sleep(SETTLE_SECONDS)
    return {"seconds": storm["seconds"], "cpu_seconds": storm["cpu_seconds"]}


@contextlib.contextmanager
def running(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)  # not SIGKILL, after which the kernel would keep counting the listener
        process.wait()
        process.stdout.close()


def run_with_none(options, kind):
    return run_storm(options, kind)


def run_with_bare(options, kind):
    with running([options.bare_loop]) as bare:
        if bare.stdout.readline() != "listening\n":
            raise RuntimeError("cannot start the bare loop: no subscription")
        before = cpu_nanoseconds(bare.pid)
        measured = run_storm(options, kind)
        cpu = cpu_nanoseconds(bare.pid) - before
        bare.send_signal(signal.SIGTERM)
        counts = json.loads(bare.stdout.readline())
    return {**measured, "events": counts["total"] - counts["ack"], "listener_ns": cpu, "lost": counts["drops"]}


def run_with_exporter(options, kind):
    with harness.Exporter() as exporter:
        exporter.wait_ready()
        first = exporter.scrape()
        before = cpu_nanoseconds(exporter.pid(), READER)
        measured = run_storm(options, kind)
        cpu = cpu_nanoseconds(exporter.pid(), READER) - before
        last = exporter.scrape()
        if exporter.stop()[0] != 0:
            raise RuntimeError("the exporter did not exit with 0")
    events = sum(e2e_measure.growth(harness.event_counts(first), harness.event_counts(last)).values())
    lost = max(last.sum("procevent_events_lost_total"), last.sum("procevent_socket_drops_total"))
    return {**measured, "events": events, "listener_ns": cpu, "lost": int(lost)}


def measure(options):
    """All rounds of all kinds. The order of the listeners rotates from round to round."""
    runners = {"none": run_with_none, "bare": run_with_bare, "exporter": run_with_exporter}
    rounds = []
    for number in range(options.rounds):
        for kind in options.kinds:
            for place in range(len(LISTENERS)):
                listener = LISTENERS[(number + place) % len(LISTENERS)]
                if listener == "none" and connector.kernel_has_listeners():
                    raise RuntimeError("cannot measure without a listener: another process is subscribed, or a killed "
                                       "listener is still counted")
                row = {"round": number, "kind": kind, "listener": listener, **runners[listener](options, kind)}
                print(json.dumps(row), file=sys.stderr, flush=True)
                rounds.append(row)
    return rounds


def summarize(rounds, kind):
    def median(listener, of):
        return statistics.median(of(row) for row in rounds if (row["kind"], row["listener"]) == (kind, listener))

    summary = {"kind": kind, "events": int(median("exporter", lambda row: row["events"]))}
    for listener in ("bare", "exporter"):
        summary[listener] = {
            "ns_per_event": median(listener, lambda row: row["listener_ns"] / row["events"]),
            "slowdown": median(listener, lambda row: row["seconds"]) / median("none", lambda row: row["seconds"]),
            "cpu_slowdown": (median(listener, lambda row: row["cpu_seconds"]) /
                             median("none", lambda row: row["cpu_seconds"])),
            "lost": sum(row["lost"] for row in rounds if (row["kind"], row["listener"]) == (kind, listener))}
    summary["ratio"] = summary["exporter"]["ns_per_event"] / summary["bare"]["ns_per_event"]
    return summary


def table(summaries):
    lines = ["| storm | events | CPU per event: bare loop | exporter | ratio | forkers' time: bare loop | exporter "
             "| forkers' CPU: bare loop | exporter | lost: bare loop | exporter |",
             "| --- " * 11 + "|"]
    for row in summaries:
        bare, ours = row["bare"], row["exporter"]
        lines.append(f"| {row['kind']} | {row['events']} "
                     f"| {bare['ns_per_event']:.0f} ns | {ours['ns_per_event']:.0f} ns | {row['ratio']:.2f} "
                     f"| x{bare['slowdown']:.3f} | x{ours['slowdown']:.3f} "
                     f"| x{bare['cpu_slowdown']:.3f} | x{ours['cpu_slowdown']:.3f} | {bare['lost']} | {ours['lost']} |")
    return "\n".join(lines)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build with tests")
    parser.add_argument("--exporter", help="binary to measure, by default that of the build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=["fork", "vfork", "exec"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cpus", help="CPUs to pin the workers to, such as 0,1")
    parser.add_argument("--count", type=int, default=40000, help="forks (or execs) of each storm")
    parser.add_argument("--json", help="output file for all measurements and the summary")
    options = parser.parse_args()
    options.storm = os.path.join(options.build, "tests", "bench", "storm")
    options.bare_loop = os.path.join(options.build, "tests", "bench", "bare_loop")
    os.environ["PROCEVENT_EXPORTER_BINARY"] = options.exporter or os.path.join(options.build, "procevent_exporter")
    return options


def main():
    options = parse_options()
    rounds = measure(options)
    summaries = [summarize(rounds, kind) for kind in options.kinds]
    print(f"Medians of {options.rounds} rounds, {options.workers} workers, Linux {os.uname().release}, "
          f"{os.cpu_count()} CPUs:\n\n{table(summaries)}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"summaries": summaries, "rounds": rounds}, file, indent=1)


if __name__ == "__main__":
    main()
