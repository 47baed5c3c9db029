#!/usr/bin/env python3
"""Measures the cost of the exporter's reader, compared with a bare loop that only receives and counts, with forkstat,
and with no listener.

Each round runs the same storm once for each listener: without one, with the bare loop, with the exporter, and with
--with=forkstat beside forkstat. Prints medians over the rounds as a Markdown table of docs/performance.md, and with
--json all measurements. Needs root, a release build, and an idle machine without other subscribers.
"""

import argparse
import contextlib
import json
import os
import shutil
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
OWN_EVENTS = 3  # fork, exec and exit of the storm itself
PEERS = ("forkstat",)


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
    events = storm["forks"] + storm["execs"] + storm["exits"] + 2 * storm["threads"] + storm["renames"] + OWN_EVENTS
    return {"seconds": storm["seconds"], "cpu_seconds": storm["cpu_seconds"], "events": events}


@contextlib.contextmanager
def running(command, stdout=subprocess.PIPE):
    with subprocess.Popen(command, stdout=stdout, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)  # after SIGKILL the kernel would keep counting the listener


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


def drops_of(pid):
    """Messages that the kernel dropped at the netlink socket of a process, or None before it has one."""
    with open("/proc/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return next((int(row[8]) for row in rows
                 if int(row[1]) == connector.NETLINK_CONNECTOR and int(row[2]) == pid), None)


def run_with_forkstat(options, kind):
    """forkstat as it is run without flags. It does not report losses: they are read from the kernel."""
    with running(["forkstat"], stdout=subprocess.DEVNULL) as forkstat:
        harness.wait_for("forkstat to subscribe",
                         lambda: drops_of(forkstat.pid) is not None and connector.kernel_has_listeners())
        time.sleep(SETTLE_SECONDS)  # it reads /proc at its start
        before = cpu_nanoseconds(forkstat.pid)
        measured = run_storm(options, kind)
        cpu = cpu_nanoseconds(forkstat.pid) - before
        lost = drops_of(forkstat.pid)
    connector.reset_listener_count()  # forkstat ends without unsubscribing
    return {**measured, "events": measured["events"] - lost, "listener_ns": cpu, "lost": lost}


def measure(options):
    """All rounds of all kinds. The order of the listeners rotates from round to round."""
    runners = {"none": run_with_none, "bare loop": run_with_bare, "exporter": run_with_exporter,
               "forkstat": run_with_forkstat}
    listeners = options.listeners
    connector.reset_listener_count()  # of listeners that were killed
    rounds = []
    for number in range(options.rounds):
        for kind in options.kinds:
            for place in range(len(listeners)):
                listener = listeners[(number + place) % len(listeners)]
                if listener == "none" and connector.kernel_has_listeners():
                    raise RuntimeError("cannot measure without a listener: another process is subscribed, or a killed "
                                       "listener is still counted")
                row = {"round": number, "kind": kind, "listener": listener, **runners[listener](options, kind)}
                print(json.dumps(row), file=sys.stderr, flush=True)
                rounds.append(row)
    return rounds


def summarize(rounds, kind, listener):
    """Medians of a listener. `slowdowns` are those of its rounds, each against the median without a listener."""
    rows = [row for row in rounds if (row["kind"], row["listener"]) == (kind, listener)]
    alone = [row for row in rounds if (row["kind"], row["listener"]) == (kind, "none")]
    seconds = statistics.median(row["seconds"] for row in alone)
    summary = {"kind": kind, "listener": listener, "events": int(statistics.median(row["events"] for row in rows)),
               "seconds": statistics.median(row["seconds"] for row in rows),
               "slowdown": statistics.median(row["seconds"] for row in rows) / seconds,
               "slowdowns": sorted(row["seconds"] / seconds for row in rows),
               "cpu_seconds": statistics.median(row["cpu_seconds"] for row in rows),
               "cpu_slowdown": (statistics.median(row["cpu_seconds"] for row in rows) /
                                statistics.median(row["cpu_seconds"] for row in alone))}
    if listener != "none":
        summary["ns_per_event"] = statistics.median(row["listener_ns"] / row["events"] for row in rows)
        summary["lost"] = sum(row["lost"] for row in rows)
    return summary


def table(summaries):
    lines = ["| storm | listener | events | CPU per event | against the bare loop | forkers' time (single rounds) "
             "| forkers' CPU | lost |", "| --- " * 8 + "|"]
    for row in summaries:
        rounds = f"({row['slowdowns'][0]:.2f} to {row['slowdowns'][-1]:.2f})"
        if row["listener"] == "none":
            lines.append(f"| {row['kind']} | none | {row['events']} | | | {row['seconds']:.2f} s {rounds} "
                         f"| {row['cpu_seconds']:.2f} s | |")
            continue
        bare = next(other for other in summaries if (other["kind"], other["listener"]) == (row["kind"], "bare loop"))
        lines.append(f"| {row['kind']} | {row['listener']} | {row['events']} | {row['ns_per_event']:.0f} ns "
                     f"| {row['ns_per_event'] / bare['ns_per_event']:.2f} | x{row['slowdown']:.2f} {rounds} "
                     f"| x{row['cpu_slowdown']:.2f} | {row['lost']} |")
    return "\n".join(lines)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build with tests")
    parser.add_argument("--exporter", help="binary to measure, by default that of the build")
    parser.add_argument("--with", dest="peers", action="append", default=[], choices=PEERS,
                        help="another program to measure, where it is installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=["fork", "vfork", "exec"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cpus", help="CPUs to pin the workers to, such as 0,1")
    parser.add_argument("--count", type=int, default=40000, help="forks (or execs) of each storm")
    parser.add_argument("--json", help="output file for all measurements and the summary")
    options = parser.parse_args()
    for peer in options.peers:
        if not shutil.which(peer):
            parser.error(f"--with={peer}: not installed: apt-get install {peer}")
    options.listeners = ("none", "bare loop", "exporter", *options.peers)
    options.storm = os.path.join(options.build, "tests", "bench", "storm")
    options.bare_loop = os.path.join(options.build, "tests", "bench", "bare_loop")
    os.environ["PROCEVENT_EXPORTER_BINARY"] = options.exporter or os.path.join(options.build, "procevent_exporter")
    return options


def main():
    options = parse_options()
    rounds = measure(options)
    summaries = [summarize(rounds, kind, listener) for kind in options.kinds for listener in options.listeners]
    print(f"Medians of {options.rounds} rounds, {options.workers} workers, Linux {os.uname().release}, "
          f"{os.cpu_count()} CPUs:\n\n{table(summaries)}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"summaries": summaries, "rounds": rounds}, file, indent=1)


if __name__ == "__main__":
    main()
