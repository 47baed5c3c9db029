"""Tests that the exporter's event counts are exact, with storms of known numbers and an independent EventCounter."""

import os

import connector
import event_counter
import harness
import measure

TINY_BUFFER = "source:\n  receive_buffer: 64KiB\n"


class Exact(harness.LiveTest):
    def check_audit(self, scrape):
        """Forks that were not received are at most the reported losses and forks without a subscription."""
        missing = scrape.value("procevent_kernel_clones_total") - scrape.value("procevent_events_total", event="fork")
        self.assertGreaterEqual(missing, 0)
        reported = scrape.sum("procevent_events_lost_total") + scrape.value("procevent_unseen_clones_total")
        self.assertLessEqual(missing, reported)

    def scrape_during(self, exporter, storm):
        running = True
        while running:
            running = storm.running()
            self.check_audit(exporter.scrape())

    def run_storm(self, exporter, counter, meanwhile, **storm):
        """The scrapes before and after a storm, and the storm's numbers."""
        connector.prime_cpus()
        before = measure.scrape_with_span(exporter, counter)
        with harness.Storm(**storm) as running:
            meanwhile(exporter, running)
            numbers = harness.await_storm(running, counter)
        after = measure.scrape_with_span(exporter, counter)
        self.check_audit(after.scrape)
        self.assertEqual(counter.lost(), 0, "the test's own counter lost events")
        return before, after, numbers

    def test_every_event_is_counted(self):
        storms = (
            ("fork", {"kind": "fork", "count": 8000}),
            ("vfork", {"kind": "vfork", "count": 20000}),
            ("exec", {"kind": "exec", "count": 3000}),
            ("threads", {"kind": "threads", "count": 20000}),
            ("many workers", {"kind": "fork", "count": 4000, "workers": 16}),
        )
        with event_counter.EventCounter() as counter, harness.Exporter() as exporter:
            exporter.wait_ready()
            for name, storm in storms:
                with self.subTest(name):
                    before, after, numbers = self.run_storm(exporter, counter, self.scrape_during, **storm)
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

    def test_losses_of_a_tiny_buffer_are_counted(self):
        with event_counter.EventCounter() as counter, harness.Exporter(config=TINY_BUFFER) as exporter:
            exporter.wait_ready()
            for name, meanwhile, least in (("scraped", self.scrape_during, 0), ("stopped", self.stop_during, 50000)):
                with self.subTest(name):
                    before, after, _ = self.run_storm(exporter, counter, meanwhile, kind="vfork", count=30000)
                    received = sum(measure.growth(before.events, after.events).values())
                    lost = self.grown(before, after, "procevent_events_lost_total")
                    self.assertGreaterEqual(lost, least)
                    measure.check_growth(self, {"all": received + lost}, event_counter.summed(before.span),
                                         event_counter.summed(after.span))
                    self.assertEqual(lost, self.grown(before, after, "procevent_socket_drops_total"))
            cpus = after.scrape.by("procevent_events_lost_total", "cpu")
            self.assertGreaterEqual(len(cpus), len(os.sched_getaffinity(0)))

    def grown(self, before, after, name):
        return after.scrape.sum(name) - before.scrape.sum(name)

    def test_second_exporter_does_not_affect_the_first(self):
        with event_counter.EventCounter() as counter, harness.Exporter() as first, harness.Exporter() as second:
            for exporter in (first, second):
                exporter.wait_ready()
            connector.prime_cpus()
            before = [measure.scrape_with_span(exporter, counter) for exporter in (first, second)]
            with harness.Storm(kind="fork", count=2000) as running:
                harness.await_storm(running, counter)
            after = [measure.scrape_with_span(exporter, counter) for exporter in (first, second)]
            for index in range(2):
                measure.check_growth(self, measure.growth(before[index].events, after[index].events),
                                     before[index].span, after[index].span)
            self.assertEqual(second.stop()[0], 0)
            self.assertEqual(first.readiness().status, 200)


if __name__ == "__main__":
    harness.main()
