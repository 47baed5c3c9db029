"""Tests that the sums of events hold at every scrape of a storm, in the pages and in a real Prometheus."""

import concurrent.futures
import contextlib
import os
import subprocess
import threading
import time
import unittest

import harness
import identities
import prometheus

STORM_SECONDS = 30
SCRAPE_SECONDS = 0.1
STORMS = (("fork", 12000), ("exec", 6000), ("threads", 30000), ("vfork", 40000), ("exec", 4000))
GROUPS_LIMIT = 40  # far fewer than the names of the storm
ROWS = GROUPS_LIMIT + 4  # includes the reserved rows
OVERFLOWING = 80000  # vforks; half of them overflow the receive buffer of a stopped exporter
LIVING = 300
SCAN_SECONDS = 12  # a scan of /proc starts within ten
DISPLACED = "procevent_groups_displaced_total"
COLUMNS = 17  # series of a row
MAX_SAMPLES = ROWS * (COLUMNS + 6) + 300  # codes and signals, four pairs and two others a group; constant series
CONFIG = f"groups:\n  limit: {GROUPS_LIMIT}\n"
EXITS = ("exit 0", "exit 3", "exit 255", "kill -KILL $$", "kill -SEGV $$", "kill -ABRT $$", "exec sleep 0", "sleep 0")


def promql(terms, when):
    """The sum of the terms at a time. A family without samples is 0."""
    def selector(name, labels):
        return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"

    return " ".join(f"{'+-'[sign < 0]} (sum({selector(name, labels)} @ {when}) or vector(0))"
                    for sign, name, labels in terms)


class MixedLoad:
    """Runs storms of all kinds and processes with all kinds of exits, until the end of the `with`."""

    def __init__(self):
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor()
        self._parts = [self._pool.submit(self.storms), self._pool.submit(self.exits)]

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

    def exits(self):
        """Runs processes with a hundred names that exit in every way."""
        run = 0
        while not self._stop.is_set():
            command = EXITS[run % len(EXITS)]
            subprocess.run(["/bin/sh", "-c", f"ulimit -c 0; echo name-{run % 100} >/proc/$$/comm; {command}"],
                           check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            run += 1


class Sums(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.skip_reason())

    def page(self, exporter):
        answer = exporter.get("/metrics")
        self.assertEqual(answer.status, 200)
        return identities.Page(answer.body.decode())

    def check_page(self, page):
        audited = identities.check_sums(self, page)
        self.assertLessEqual(len(page), MAX_SAMPLES)
        rows = set(page.families.by("procevent_forks_total", "comm")) | {
            labels for name in ("procevent_execs_total", "procevent_threads_started_total")
            for labels in page.families.by(name, "comm")}
        self.assertLessEqual(len(rows), ROWS)
        for name in ("procevent_exit_code", "procevent_process_lifetime_seconds"):
            buckets = page.of(name + "_bucket", {})
            self.assertEqual(buckets, sorted(buckets), name)
        self.assertEqual(page.of("procevent_up", {}), [1])
        return audited

    def check_growth(self, before, after):
        """No counter falls, and no series ends unless a group was displaced: it may have returned from 0."""
        displaced = after.of(DISPLACED, {}) > before.of(DISPLACED, {})
        for key, value in before.growing.items():
            if not displaced or "comm=" not in key:
                self.assertIn(key, after.growing)
                self.assertGreaterEqual(after.growing[key], value, key)

    def check_through_promql(self, server, times, names):
        for when in times:
            for name, terms in identities.SUMS.items():
                self.assertEqual(server.query(promql(terms, when)), [({}, "0")], f"{name} at {when}")
            audited = server.query(f"procevent_kernel_clones_total @ {when}")
            for name, (less, more) in identities.ORDERED.items():
                if name in identities.AUDITS and not audited:
                    continue
                ((_, value),) = server.query(f"({promql(more, when)}) - ({promql(less, when)})")
                self.assertGreaterEqual(float(value), 0, f"{name} at {when}")
        # A displaced group that returns starts from 0: check_growth compares the series of groups between two pages.
        displaced = server.query(f"{DISPLACED} > 0")
        for name in names:
            fallen = [labels for labels, resets in server.query(f"resets({name}[5m])")
                      if resets != "0" and not (displaced and "comm" in labels)]
            self.assertEqual(fallen, [], name)

    def scrape_under_load(self, exporter, server):
        """Scrapes during a storm. Returns the first and last page, and the times of Prometheus' scrapes."""
        times = set()
        first = last = self.page(exporter)
        scrapes = audited = 0
        pending = set()
        with MixedLoad() as load:
            end = time.monotonic() + STORM_SECONDS
            while time.monotonic() < end:
                start = time.monotonic()
                page = self.page(exporter)
                audited += self.check_page(page)
                self.check_growth(last, page)
                last = page
                scrapes += 1
                pending |= {activity for activity, value in page.families.by("procevent_pending", "activity").items()
                            if value}
                times |= {value for _, value in server.query('timestamp(procevent_events_total{event="fork"})')}
                load.check()
                time.sleep(max(0, start + SCRAPE_SECONDS - time.monotonic()))
        print(f"{scrapes} scrapes of the test, {len(times)} of Prometheus")
        self.assertGreater(scrapes, 0.5 * STORM_SECONDS / SCRAPE_SECONDS)
        self.assertGreater(len(times), 0.8 * STORM_SECONDS)
        self.assertLessEqual({"fork", "exec"}, pending, "no event was ever pending")
        return first, last, sorted(times, key=float)

    def check_load(self, first, last):
        """The load contained every kind of event."""
        def grown(name, **labels):
            return sum(last.of(name, labels)) - sum(first.of(name, labels))

        for name in ("forks", "execs", "exits", "threads_started", "threads_ended"):
            self.assertGreater(grown(f"procevent_{name}_total"), 1000, name)
        for outcome in ("success", "failure", "signal"):
            self.assertGreater(grown("procevent_exits_total", outcome=outcome), 10, outcome)
        self.assertGreater(grown("procevent_coredumps_total"), 10)
        self.assertGreater(grown("procevent_groups_overflowed_total"), 10)
        print({event: grown("procevent_events_total", event=event) for event in ("fork", "exec", "exit")},
              f"lost: {grown('procevent_events_lost_total')}", f"{len(last)} samples")

    def test_identities_hold_at_every_scrape_of_a_storm(self):
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(harness.Exporter(config=CONFIG)).wait_ready()
            server = stack.enter_context(prometheus.Prometheus(exporter.port)).wait_scraping()
            first, last, times = self.scrape_under_load(exporter, server)
            self.check_load(first, last)
            self.check_through_promql(server, times, sorted(last.growing_names))
            harness.wait_for("no event to be pending",
                             lambda: sum(self.page(exporter).of("procevent_pending", {})) == 0)


class Reconciling(harness.LiveTest):
    """The scan of /proc after a loss does not delay the reader."""

    def lost(self, scrape):
        return scrape.sum("procevent_events_lost_total")

    def overflow(self, exporter):
        """Overflows the receive buffer and returns the first scrape after it."""
        before = exporter.scrape()
        with exporter.stopped(), harness.Storm("vfork", OVERFLOWING) as storm:
            storm.wait()
        after = exporter.scrape()
        self.assertGreater(self.lost(after), self.lost(before), "the storm caused no loss")
        harness.wait_for("the log to report the loss",
                         lambda: harness.log_lines(exporter.log(), "events lost", level="warning"))
        return after

    def test_no_losses_during_the_scan(self):
        with contextlib.ExitStack() as stack:
            for _ in range(LIVING):
                sleeper = stack.enter_context(subprocess.Popen(["sleep", "600"]))
                stack.callback(sleeper.terminate)
            exporter = stack.enter_context(harness.Exporter()).wait_ready()
            after = self.overflow(exporter)
            storms = 0
            end = time.monotonic() + SCAN_SECONDS
            while time.monotonic() < end:
                with harness.Storm("fork", 10000) as storm:
                    while storm.running():
                        self.assertEqual(self.lost(exporter.scrape()), self.lost(after))
                        time.sleep(0.1)
                    storm.wait()
                storms += 1

            def table_matches_proc():
                living = sum(name.isdigit() for name in os.listdir("/proc"))
                rows = exporter.scrape().value("procevent_processes")
                return (rows, living) if abs(rows - living) <= 0.05 * living else None

            tracked, living = harness.wait_for("the process table to match /proc", table_matches_proc)
            self.assertEqual(self.lost(exporter.scrape()), self.lost(after))
            print(f"{self.lost(after):.0f} events were lost, and none in {storms} storms during the scan of /proc; "
                  f"tracked {tracked:.0f} of {living}")


class OwnThreads(harness.LiveTest):
    """The threads that the exporter starts for its server are no peak of fork events."""

    def test_first_page_counts_no_thread_of_the_exporter(self):
        with harness.Exporter() as exporter:
            page = exporter.wait_ready().scrape()
            threads = len(os.listdir(f"/proc/{exporter.pid()}/task"))
            self.assertGreater(threads, 40)
            by_name = page.by("procevent_threads_started_total", "comm")
            started = sum(by_name.get(name, 0) for name in ("procevent_expor", "pe-reader", "[unattributed programs]"))
            print(f"{threads} threads, {started:.0f} of their starts counted")
            self.assertLess(started, 10)


class LossesInTheLog(harness.LiveTest):
    """The first loss is logged at once, later ones as a sum after a minute or at the stop."""

    def test_log_and_metrics_agree(self):
        with harness.Exporter(config="source:\n  receive_buffer: 64KiB\n") as exporter:
            exporter.wait_ready()
            lost = []
            for _ in range(3):
                with exporter.stopped(), harness.Storm("vfork", 500) as storm:
                    storm.wait()
                lost.append(exporter.scrape().sum("procevent_events_lost_total"))
            self.assertEqual(sorted(set(lost)), lost, "no further loss")
            self.assertEqual(exporter.stop()[0], 0)
            logged = harness.log_lines(exporter.log(), "events lost", level="warning")
        self.assertGreater(len(logged), 1, "no loss was summed up")
        self.assertEqual(sum(line["lost"] for line in logged), lost[-1])


class Terms(unittest.TestCase):
    def test_promql(self):
        self.assertEqual(promql(identities.SUMS["exec events"], "12.5"),
                         '- (sum(procevent_events_total{event="exec"} @ 12.5) or vector(0)) '
                         "+ (sum(procevent_execs_total{} @ 12.5) or vector(0)) "
                         '+ (sum(procevent_pending{activity="exec"} @ 12.5) or vector(0)) '
                         '+ (sum(procevent_retired_total{activity="exec"} @ 12.5) or vector(0))')

    def test_sum_of_a_page(self):
        page = identities.Page('# TYPE procevent_events_total counter\nprocevent_events_total{event="exec"} 7\n'
                    '# TYPE procevent_execs_total counter\nprocevent_execs_total{comm="a"} 3\n'
                    'procevent_execs_total{comm="b"} 2\n'
                    '# TYPE procevent_pending gauge\nprocevent_pending{activity="exec"} 1\n')
        self.assertEqual(page.sum(identities.SUMS["exec events"]), -1)
        self.assertEqual(page.growing_names, {"procevent_events_total", "procevent_execs_total"})


if __name__ == "__main__":
    harness.main()
