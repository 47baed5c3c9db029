"""What is true of the ledger's numbers is true of every scrape in a storm: of ours, and of a real Prometheus's."""

import concurrent.futures
import contextlib
import os
import re
import subprocess
import threading
import time
import unittest

import harness
import prometheus
import samples

STORM_SECONDS = 30
SCRAPE_SECONDS = 0.1
STORMS = (("fork", 12000), ("exec", 6000), ("threads", 30000), ("vfork", 40000), ("exec", 4000))
COMMS_LIMIT = 40  # far less than the storm has names
ROWS = COMMS_LIMIT + 5  # the reserved ones
OVERFLOWING = 80000  # vforks; half of them overflow the queue of a stopped exporter
LIVING = 300
PASS_SECONDS = 12  # a pass over /proc begins within ten
COLUMNS = 17  # of a row
MOST_SAMPLES = ROWS * COLUMNS + 255 + 128 + 300  # statuses, signals, and what does not depend on what happens
CONFIG = f"comms:\n  limit: {COMMS_LIMIT}\n"
ENDINGS = ("exit 0", "exit 3", "exit 255", "kill -KILL $$", "kill -SEGV $$", "kill -ABRT $$", "exec sleep 0", "sleep 0")


def both(event, *counters):
    """What was booked under a name, and what waits for one, is what came."""
    return (*((1, name, labels) for name, labels in counters), (1, "procevent_pending", {"event": event}),
            (-1, "procevent_events_total", {"event": event}))


# Sums that are 0, as terms: sign, metric, labels.
SUMS = {
    "forks": both("fork", ("procevent_forks_total", {}), ("procevent_threads_started_total", {})),
    "execs": both("exec", ("procevent_execs_total", {})),
    "exits": both("exit", ("procevent_exits_total", {}), ("procevent_threads_ended_total", {})),
    "coredumps": both("coredump", ("procevent_coredumps_total", {})),
    "ptrace": both("ptrace", ("procevent_ptrace_total", {})),
    "uid": both("uid", ("procevent_credential_changes_total", {"credential": "uid"})),
    "gid": both("gid", ("procevent_credential_changes_total", {"credential": "gid"})),
    "exit codes": ((1, "procevent_exit_code_count", {}), (-1, "procevent_exits_total", {})),
    "all exit codes": ((1, "procevent_exit_code_bucket", {"le": "+Inf"}), (-1, "procevent_exits_total", {})),
    "successes": ((1, "procevent_exit_code_bucket", {"le": "0"}),
                  (-1, "procevent_exits_total", {"outcome": "success"})),
    "statuses": ((1, "procevent_exit_statuses_total", {}), (-1, "procevent_exits_total", {"outcome": "failure"})),
    "signals": ((1, "procevent_exit_signals_total", {}), (-1, "procevent_exits_total", {"outcome": "signal"})),
    "delays": ((1, "procevent_event_delay_seconds_count", {}), (-1, "procevent_events_total", {}),
               (1, "procevent_events_total", {"event": "ack"})),
}
# The first is never more than the second.
ORDERED = {
    "lifetimes": (((1, "procevent_process_lifetime_seconds_count", {}),), ((1, "procevent_exits_total", {}),)),
    "unexeced": (((1, "procevent_unexeced_exits_total", {}),), ((1, "procevent_exits_total", {}),)),
    "comms": (((1, "procevent_comms", {}),), ((1, "procevent_comms_limit", {}),)),
    "threads": (((1, "procevent_processes", {}),), ((1, "procevent_threads", {}),)),
    "audit": (((1, "procevent_events_total", {"event": "fork"}),), ((1, "procevent_kernel_forks_total", {}),)),
    "explained": (((1, "procevent_kernel_forks_total", {}), (-1, "procevent_events_total", {"event": "fork"})),
                  ((1, "procevent_events_lost_total", {}), (1, "procevent_forks_unseen_total", {}))),
}


def promql(terms, when):
    """The sum of the terms at a time. A family without samples is 0."""
    def selector(name, labels):
        return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"

    return " ".join(f"{'+-'[sign < 0]} (sum({selector(name, labels)} @ {when}) or vector(0))"
                    for sign, name, labels in terms)


class Page:
    """The samples of one scrape, and of which type their families are."""

    def __init__(self, text):
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self._samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                key, value = line.rsplit(" ", 1)
                if key in self._samples:
                    raise AssertionError(f"twice: {key}")
                self._samples[key] = float(value)
        grows = {name for name, kind in types.items() if kind == "counter"}
        for name, kind in types.items():
            if kind == "histogram":
                grows |= {name + "_bucket", name + "_count", name + "_sum"}
        self.growing = {key: value for key, value in self._samples.items() if key.partition("{")[0] in grows}
        self.growing_names = grows & {key.partition("{")[0] for key in self._samples}
        self.families = samples.Samples(text)

    def __len__(self):
        return len(self._samples)

    def of(self, name, labels):
        """Values of the samples that have these labels, among others."""
        if name not in self.families.names():
            return []
        start = name + "{"
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return [value for key, value in self._samples.items()
                if (key == name or key.startswith(start)) and all(part in key for part in wanted)]

    def sum(self, terms):
        return sum(sign * sum(self.of(name, labels)) for sign, name, labels in terms)


class Weather:
    """A storm of all kinds, until it is told to stop; whatever fails in it fails the test."""

    def __init__(self):
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor()
        self._parts = [self._pool.submit(self.storms), self._pool.submit(self.ends)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown()

    def check(self):
        for part in self._parts:
            if part.done():
                part.result()

    def storms(self):
        while not self._stop.is_set():
            for kind, count in STORMS:
                with harness.Storm(kind, count) as storm:
                    while storm.running() and not self._stop.is_set():
                        time.sleep(0.02)
                    if self._stop.is_set():
                        return
                    storm.wait()

    def ends(self):
        """Processes under a hundred names that end in every way, some of them within others."""
        run = 0
        while not self._stop.is_set():
            ending = ENDINGS[run % len(ENDINGS)]
            subprocess.run(["/bin/sh", "-c", f"ulimit -c 0; echo name-{run % 100} >/proc/$$/comm; {ending}"],
                           check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            run += 1


class Ledger(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.why_not())

    def page(self, exporter):
        answer = exporter.get("/metrics")
        self.assertEqual(answer.status, 200)
        return Page(answer.body.decode())

    def check_page(self, page):
        for name, terms in SUMS.items():
            self.assertEqual(page.sum(terms), 0, name)
        for name, (less, more) in ORDERED.items():
            self.assertLessEqual(page.sum(less), page.sum(more), name)
        self.assertLessEqual(len(page), MOST_SAMPLES)
        rows = set(page.families.by("procevent_forks_total", "comm")) | {
            labels for name in ("procevent_execs_total", "procevent_threads_started_total")
            for labels in page.families.by(name, "comm")}
        self.assertLessEqual(len(rows), ROWS)
        for name in ("procevent_exit_code", "procevent_process_lifetime_seconds"):
            buckets = page.of(name + "_bucket", {})
            self.assertEqual(buckets, sorted(buckets), name)
        self.assertEqual(page.of("procevent_listener_up", {}), [1])

    def check_growth(self, before, after):
        for key, value in before.growing.items():
            self.assertIn(key, after.growing)
            self.assertGreaterEqual(after.growing[key], value, key)

    def check_through_promql(self, server, times, names):
        for when in times:
            for name, terms in SUMS.items():
                self.assertEqual(server.query(promql(terms, when)), [({}, "0")], f"{name} at {when}")
            for name, (less, more) in ORDERED.items():
                ((_, value),) = server.query(f"({promql(more, when)}) - ({promql(less, when)})")
                self.assertGreaterEqual(float(value), 0, f"{name} at {when}")
        for name in names:
            fallen = [row for row in server.query(f"resets({name}[5m])") if row[1] != "0"]
            self.assertEqual(fallen, [], name)

    def weather(self, exporter, server):
        """Storm and scrape; the first page and the last, and when Prometheus scraped."""
        times = set()
        first = last = self.page(exporter)
        scrapes = 0
        waited = set()
        with Weather() as weather:
            end = time.monotonic() + STORM_SECONDS
            while time.monotonic() < end:
                start = time.monotonic()
                page = self.page(exporter)
                self.check_page(page)
                self.check_growth(last, page)
                last = page
                scrapes += 1
                waited |= {event for event, value in page.families.by("procevent_pending", "event").items() if value}
                times |= {value for _, value in server.query('timestamp(procevent_events_total{event="fork"})')}
                weather.check()
                time.sleep(max(0, start + SCRAPE_SECONDS - time.monotonic()))
        print(f"{scrapes} scrapes of ours, {len(times)} of Prometheus's")
        self.assertGreater(scrapes, 0.5 * STORM_SECONDS / SCRAPE_SECONDS)
        self.assertGreater(len(times), 0.8 * STORM_SECONDS)
        self.assertLessEqual({"fork", "exec"}, waited, "nothing ever waited for a name")
        return first, last, sorted(times, key=float)

    def check_bite(self, first, last):
        """There was something to be wrong about."""
        def grown(name, **labels):
            return sum(last.of(name, labels)) - sum(first.of(name, labels))

        for name in ("forks", "execs", "exits", "threads_started", "threads_ended"):
            self.assertGreater(grown(f"procevent_{name}_total"), 1000, name)
        for outcome in ("success", "failure", "signal"):
            self.assertGreater(grown("procevent_exits_total", outcome=outcome), 10, outcome)
        self.assertGreater(grown("procevent_coredumps_total"), 10)
        self.assertGreater(grown("procevent_comms_overflowed_total"), 10)
        print({event: grown("procevent_events_total", event=event) for event in ("fork", "exec", "exit")},
              f"lost: {grown('procevent_events_lost_total')}", f"{len(last)} samples")

    def test_every_scrape_of_a_storm_adds_up(self):
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(harness.Exporter(config=CONFIG)).wait_ready()
            server = stack.enter_context(prometheus.Prometheus(exporter.port)).wait_scraping()
            first, last, times = self.weather(exporter, server)
            self.check_bite(first, last)
            self.check_through_promql(server, times, sorted(last.growing_names))
            harness.wait_for("all that waits for a name to get one, or none",
                             lambda: sum(self.page(exporter).of("procevent_pending", {})) == 0)


class Reconciling(harness.LiveTest):
    """After a loss all processes are looked at anew, and that holds nobody up who listens."""

    def lost(self, scrape):
        return scrape.sum("procevent_events_lost_total")

    def overflow(self, exporter):
        """More than the queue holds; the first scrape after it."""
        before = exporter.scrape()
        with exporter.stopped(), harness.Storm("vfork", OVERFLOWING) as storm:
            storm.wait()
        after = exporter.scrape()
        self.assertGreater(self.lost(after), self.lost(before), "nothing was lost: this test shows nothing")
        harness.wait_for("the log to tell of the loss",
                         lambda: re.search(r'level=warning msg="\d+ events were lost: ', exporter.log()))
        return after

    def test_loses_nothing_in_a_storm(self):
        with contextlib.ExitStack() as stack:
            for _ in range(LIVING):
                sleeper = stack.enter_context(subprocess.Popen(["sleep", "600"]))
                stack.callback(sleeper.terminate)
            exporter = stack.enter_context(harness.Exporter()).wait_ready()
            after = self.overflow(exporter)
            storms = 0
            end = time.monotonic() + PASS_SECONDS
            while time.monotonic() < end:
                with harness.Storm("fork", 10000) as storm:
                    while storm.running():
                        self.assertEqual(self.lost(exporter.scrape()), self.lost(after))
                        time.sleep(0.1)
                    storm.wait()
                storms += 1

            def on_the_mark():
                living = sum(name.isdigit() for name in os.listdir("/proc"))
                rows = exporter.scrape().value("procevent_processes")
                return (rows, living) if abs(rows - living) <= 0.05 * living else None

            tracked, living = harness.wait_for("the table to be what /proc says", on_the_mark)
            self.assertEqual(self.lost(exporter.scrape()), self.lost(after))
            print(f"{self.lost(after):.0f} events were lost, and none in {storms} storms while /proc was read; "
                  f"tracked {tracked:.0f} of {living}")


class LossesInTheLog(harness.LiveTest):
    """A line at once, the sum of the rest a minute later or at the stop: in all what the metrics said."""

    def test_tells_all(self):
        with harness.Exporter(config="source:\n  receive_buffer: 64KiB\n") as exporter:
            exporter.wait_ready()
            lost = []
            for _ in range(3):
                with exporter.stopped(), harness.Storm("vfork", 500) as storm:
                    storm.wait()
                lost.append(exporter.scrape().sum("procevent_events_lost_total"))
            self.assertEqual(sorted(set(lost)), lost, "each time more")
            self.assertEqual(exporter.stop()[0], 0)
            told = re.findall(r'level=warning msg="(\d+) events were lost: ', exporter.log())
        self.assertGreater(len(told), 1, "nothing had to wait")
        self.assertEqual(sum(map(int, told)), lost[-1])


class Terms(unittest.TestCase):
    def test_as_promql(self):
        self.assertEqual(promql(SUMS["execs"], "12.5"),
                         "+ (sum(procevent_execs_total{} @ 12.5) or vector(0)) "
                         '+ (sum(procevent_pending{event="exec"} @ 12.5) or vector(0)) '
                         '- (sum(procevent_events_total{event="exec"} @ 12.5) or vector(0))')

    def test_of_a_page(self):
        page = Page('# TYPE procevent_events_total counter\nprocevent_events_total{event="exec"} 7\n'
                    '# TYPE procevent_execs_total counter\nprocevent_execs_total{comm="a"} 3\n'
                    'procevent_execs_total{comm="b"} 2\n'
                    '# TYPE procevent_pending gauge\nprocevent_pending{event="exec"} 1\n')
        self.assertEqual(page.sum(SUMS["execs"]), -1)
        self.assertEqual(page.growing_names, {"procevent_events_total", "procevent_execs_total"})


if __name__ == "__main__":
    harness.main()
