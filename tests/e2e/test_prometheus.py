"""A real Prometheus scrapes the exporter through storms of known numbers: through PromQL the counts are exact."""

import harness
import measure
import prometheus
import witness


class ThroughPromql(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.why_not())

    def events_between(self, server, before, after):
        """Growth by type; PromQL's increase() would extrapolate."""
        rows = server.query(f"procevent_events_total @ {after} - procevent_events_total @ {before}")
        return {labels["event"]: int(value) for labels, value in rows}

    def test_storms_are_exact(self):
        with witness.Witness() as onlooker, harness.Exporter() as exporter:
            exporter.wait_ready()
            with prometheus.Prometheus(exporter.port) as server:
                server.wait_scraping()
                start = last = server.scrape(onlooker)
                for kind, count in (("fork", 4000), ("vfork", 10000), ("exec", 2000), ("threads", 10000)):
                    with self.subTest(kind):
                        with harness.Storm(kind, count) as storm:
                            numbers = harness.await_storm(storm, onlooker)
                        now = server.scrape(onlooker)
                        made = self.events_between(server, last.time, now.time)
                        measure.check_growth(self, made, last.span, now.span)
                        self.assertGreaterEqual(made["fork"], numbers["forks"] + numbers["threads"] + 1)
                        self.assertGreaterEqual(made["exec"], numbers["execs"] + 1)
                        self.assertGreaterEqual(made["exit"], numbers["exits"] + numbers["threads"] + 1)
                        last = now
                self.assertEqual(onlooker.lost(), 0, "the witness itself lost events: it proves nothing")
                self.check_scrapes(server, start.time, last.time)

    def check_scrapes(self, server, start, end):
        lost = server.query(f"sum(procevent_events_lost_total @ {end}) - sum(procevent_events_lost_total @ {start})")
        self.assertEqual(lost, [({}, "0")])
        for name in ("up", "procevent_listener_up"):
            self.assertEqual([value for _, value in server.query(f"{name} @ {end}")], ["1"], name)
        (target,) = server.targets()
        self.assertEqual(target["labels"]["job"], prometheus.JOB)


if __name__ == "__main__":
    harness.main()
