"""Tests that counts are exact in a real Prometheus: of storms of known numbers, and of new commands."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import event_counter
import harness
import measure
import prometheus


class InPrometheus(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.skip_reason())

    def events_between(self, server, before, after):
        """Growth by type, ACKs included. PromQL's increase() would extrapolate."""
        rows = [row for name in ("procevent_events_total", "procevent_acks_total")
                for row in server.query(f"{name} @ {after} - {name} @ {before}")]
        return {labels.get("event", "ack"): int(value) for labels, value in rows}

    def test_storms_are_exact(self):
        with event_counter.EventCounter() as counter, harness.Exporter() as exporter:
            exporter.wait_ready()
            with prometheus.Prometheus(exporter.port) as server:
                server.wait_scraping()
                start = last = server.scrape(counter)
                for kind, count in (("fork", 4000), ("vfork", 10000), ("exec", 2000), ("threads", 10000)):
                    with self.subTest(kind):
                        with harness.Storm(kind, count) as storm:
                            numbers = harness.await_storm(storm, counter)
                        now = server.scrape(counter)
                        grown = self.events_between(server, last.time, now.time)
                        measure.check_growth(self, grown, last.span, now.span)
                        self.assertGreaterEqual(grown["fork"], numbers["forks"] + numbers["threads"] + 1)
                        self.assertGreaterEqual(grown["exec"], numbers["execs"] + 1)
                        self.assertGreaterEqual(grown["exit"], numbers["exits"] + numbers["threads"] + 1)
                        last = now
                self.assertEqual(counter.lost(), 0, "the test's own counter lost events")
                self.check_scrapes(server, start.time, last.time)

    def check_scrapes(self, server, start, end):
        lost = server.query(f"sum(procevent_events_lost_total @ {end}) - sum(procevent_events_lost_total @ {start})")
        self.assertEqual(lost, [({}, "0")])
        for name in ("up", "procevent_up"):
            self.assertEqual([value for _, value in server.query(f"{name} @ {end}")], ["1"], name)
        (target,) = server.targets()
        self.assertEqual(target["labels"]["job"], prometheus.JOB)


FORKS = 200
WINDOW = 300  # seconds of the rate() that is tested
BURST = f"for ((i = 0; i < {FORKS}; ++i)); do : & done; wait"  # a builtin in the background is one fork
CRASH = "read -r; kill -SEGV $$"  # waits, so that the exporter can read its name


def job(number):
    """A scrape job. Prometheus derives the moments of its scrapes from the labels: servers with other ones scrape at
    other moments."""
    return {"scrape_interval": "2s", "scrape_timeout": "2s",
            "relabel_configs": [{"target_label": "server", "replacement": str(number)}]}


class NewSeries(harness.LiveTest):
    """rate() and increase() count a new series from its first count on, because it appears as 0."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.skip_reason())

    @contextlib.contextmanager
    def scraped(self, servers):
        """An exporter with `groups.first_scrapes` of that number, and the servers, which have scraped it."""
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(harness.Exporter(f"--groups.first-scrapes={servers}")).wait_ready()
            started = [stack.enter_context(prometheus.Prometheus(exporter.port, **job(number)))
                       for number in range(servers)]
            for server in started:
                server.wait_scraping()
            yield started

    def run_command(self, name, text):
        """Runs a script of that name. It has half a second until its standard input ends."""
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            script = pathlib.Path(directory, name)
            script.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
            script.chmod(0o755)
            command = subprocess.Popen([script], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                command.wait(0.5)
            command.communicate(timeout=harness.DEADLINE_SECONDS)

    def check_growth(self, server, series, count):
        """The series appears as 0, and grows by exactly this count."""
        def complete():
            samples = server.samples(series)
            return samples if samples and samples[-1][1] >= count else None

        samples = harness.wait_for(f"{count} at {series}", complete)
        self.assertEqual((samples[0][1], samples[-1][1]), (0, count), samples)
        self.assertGreater(len(samples), 1)
        last = samples[-1][0]
        # The window ends at a sample, and the counter was 0 at the first one: nothing is extrapolated.
        for function, expected in (("increase", count), ("rate", count / WINDOW)):
            ((_, value),) = server.query(f"{function}({series}[{WINDOW}s] @ {last})")
            self.assertAlmostEqual(float(value), expected, 9, samples)
        # At other times it is extrapolated to the end of the window, at most by 1.1 intervals between samples.
        sampled = last - samples[0][0]
        later = last + sampled / (len(samples) - 1) / 2
        ((_, value),) = server.query(f"increase({series}[{WINDOW}s] @ {later:.3f})")
        self.assertGreater(float(value), count)
        self.assertLessEqual(float(value), count * (1 + 1.1 / (len(samples) - 1)))

    def test_burst_of_a_new_command(self):
        name = f"new-{os.getpid()}"
        with self.scraped(servers=1) as (server,):
            self.run_command(name, BURST)
            self.check_growth(server, f'procevent_forks_total{{comm="{name}"}}', FORKS)
            self.check_growth(server, f'procevent_exits_total{{comm="{name}", outcome="success"}}', FORKS + 1)

    def test_first_crash_by_a_signal(self):
        name = f"crash-{os.getpid()}"
        with self.scraped(servers=1) as (server,):
            self.run_command(name, CRASH)
            self.check_growth(server, f'procevent_exit_signals_total{{comm="{name}", signal="SIGSEGV"}}', 1)
            self.check_growth(server, f'procevent_exits_total{{comm="{name}", outcome="signal"}}', 1)

    def test_each_of_two_servers_stores_the_0(self):
        name = f"pair-{os.getpid()}"
        with self.scraped(servers=2) as servers:
            self.run_command(name, BURST)
            for server in servers:
                self.check_growth(server, f'procevent_forks_total{{comm="{name}"}}', FORKS)


if __name__ == "__main__":
    harness.main()
