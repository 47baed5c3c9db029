"""Tests that counts are exact in a real Prometheus that scrapes the exporter during storms of known numbers."""

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


if __name__ == "__main__":
    harness.main()
