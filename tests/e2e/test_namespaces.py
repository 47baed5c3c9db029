"""In a foreign namespace the kernel does not serve us. The exporter stays up, and says what is wrong and what to do."""

import harness
import witness

CONFIG = "reader:\n  canary_interval: 1s\n"
USER = ("unshare", "--user")
ROOT_OF_ITS_OWN = ("unshare", "--user", "--map-root-user")
PIDS = ("unshare", "--pid", "--fork", "--kill-child")

NAMESPACES = (
    ("network", {"before_exec": harness.enter_new_network}, ["network namespace", "--network host"]),
    ("PID", {"prefix": PIDS}, ["PID namespace", "--pid host"]),
    ("user", {"prefix": USER}, ["user namespace", "--userns host"]),
    ("user, as its root", {"prefix": ROOT_OF_ITS_OWN}, ["user namespace", "--userns host"]),
    ("network and PID", {"before_exec": harness.enter_new_network, "prefix": PIDS}, ["--network host", "--pid host"]),
    ("PID and user", {"prefix": (*USER, "--pid", "--fork", "--kill-child")}, ["--pid host", "--userns host"]),
)


class Namespaces(harness.LiveTest):
    def check_deaf(self, exporter, remedies):
        answer = exporter.readiness()
        self.assertEqual(answer.status, 503)
        text = answer.body.decode()
        self.assertEqual(text.count("\n"), 1, text)
        for remedy in remedies:
            self.assertIn(remedy, text)
        self.assertEqual(exporter.get("/-/healthy").status, 200)
        self.assertEqual(exporter.scrape().value("procevent_listener_up"), 0)

    def attempts(self, exporter):
        return exporter.scrape().sum("procevent_listener_restarts_total")

    def has_cause(self, exporter):
        answer = exporter.readiness()
        return answer is not None and b"namespace" in answer.body

    def test_named_with_its_remedy(self):
        for name, how, remedies in NAMESPACES:
            with self.subTest(name), harness.Exporter(config=CONFIG, **how) as exporter:
                harness.wait_for("a cause", lambda: self.has_cause(exporter))
                self.check_deaf(exporter, remedies)
                # Events flow, since the witness listens, and reach any socket in this network namespace: no proof.
                with witness.Witness() as onlooker, harness.Storm("fork", 500) as storm:
                    harness.await_storm(storm, onlooker)
                    self.check_deaf(exporter, remedies)
                    tried = self.attempts(exporter)
                    harness.wait_for("two more attempts", lambda: self.attempts(exporter) >= tried + 2)
                    self.check_deaf(exporter, remedies)


if __name__ == "__main__":
    harness.main()
