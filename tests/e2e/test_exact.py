"""The exporter's numbers against storms of known numbers and against the witness: exact, type by type."""

import os

import connector
import harness
import measure
import witness

TINY_BUFFER = "source:\n  receive_buffer: 64KiB\n"


class Exact(harness.LiveTest):
    def check_audit(self, scrape):
        """What the kernel forked and we did not count is explained by what we say that we missed."""
        missed = scrape.value("procevent_kernel_forks_total") - scrape.value("procevent_events_total", event="fork")
        self.assertGreaterEqual(missed, 0)
        explained = scrape.sum("procevent_events_lost_total") + scrape.value("procevent_forks_unseen_total")
        self.assertLessEqual(missed, explained)

    def scrape_during(self, exporter, storm):
        running = True
        while running:
            running = storm.running()
            self.check_audit(exporter.scrape())

    def run_storm(self, exporter, onlooker, meanwhile, **storm):
        """The cuts before and after a storm, and what it made."""
        connector.prime_cpus()
        before = measure.cut(exporter, onlooker)
        with harness.Storm(**storm) as running:
            meanwhile(exporter, running)
            numbers = harness.await_storm(running, onlooker)
        after = measure.cut(exporter, onlooker)
        self.check_audit(after.scrape)
        self.assertEqual(onlooker.lost(), 0, "the witness itself lost events: it proves nothing")
        return before, after, numbers

    def test_every_event_is_counted(self):
        storms = (
            ("fork", {"kind": "fork", "count": 8000}),
            ("vfork", {"kind": "vfork", "count": 20000}),
            ("exec", {"kind": "exec", "count": 3000}),
            ("threads", {"kind": "threads", "count": 20000}),
            ("many workers", {"kind": "fork", "count": 4000, "workers": 16}),
        )
        with witness.Witness() as onlooker, harness.Exporter() as exporter:
            exporter.wait_ready()
            for name, storm in storms:
                with self.subTest(name):
                    before, after, numbers = self.run_storm(exporter, onlooker, self.scrape_during, **storm)
                    counted = measure.growth(before.events, after.events)
                    measure.check_growth(self, counted, before.span, after.span)
                    self.assertGreaterEqual(counted["fork"], numbers["forks"] + numbers["threads"] + 1)
                    self.assertGreaterEqual(counted["exec"], numbers["execs"] + 1)
                    self.assertGreaterEqual(counted["exit"], numbers["exits"] + numbers["threads"] + 1)
                    self.assertEqual(after.scrape.sum("procevent_events_lost_total"), 0)
                    self.assertEqual(after.scrape.sum("procevent_socket_drops_total"), 0)

    def stop_during(self, exporter, storm):
        with exporter.stopped():
            storm.wait()

    def test_what_a_tiny_buffer_loses_is_counted(self):
        with witness.Witness() as onlooker, harness.Exporter(config=TINY_BUFFER) as exporter:
            exporter.wait_ready()
            for name, meanwhile, least in (("scraped", self.scrape_during, 0), ("stopped", self.stop_during, 50000)):
                with self.subTest(name):
                    before, after, _ = self.run_storm(exporter, onlooker, meanwhile, kind="vfork", count=30000)
                    received = sum(measure.growth(before.events, after.events).values())
                    lost = self.grown(before, after, "procevent_events_lost_total")
                    self.assertGreaterEqual(lost, least)
                    measure.check_growth(self, {"all": received + lost}, witness.summed(before.span),
                                         witness.summed(after.span))
                    self.assertEqual(lost, self.grown(before, after, "procevent_socket_drops_total"))
            cpus = after.scrape.by("procevent_events_lost_total", "cpu")
            self.assertGreaterEqual(len(cpus), len(os.sched_getaffinity(0)))

    def grown(self, before, after, counter):
        return after.scrape.sum(counter) - before.scrape.sum(counter)

    def test_a_second_listener_changes_nothing(self):
        with witness.Witness() as onlooker, harness.Exporter() as first, harness.Exporter() as second:
            for exporter in (first, second):
                exporter.wait_ready()
            connector.prime_cpus()
            before = [measure.cut(exporter, onlooker) for exporter in (first, second)]
            with harness.Storm(kind="fork", count=2000) as running:
                harness.await_storm(running, onlooker)
            after = [measure.cut(exporter, onlooker) for exporter in (first, second)]
            for index in range(2):
                measure.check_growth(self, measure.growth(before[index].events, after[index].events),
                                     before[index].span, after[index].span)
            self.assertEqual(second.stop()[0], 0)
            self.assertEqual(first.readiness().status, 200)


if __name__ == "__main__":
    harness.main()
