"""In a foreign namespace the kernel sends no events. The exporter keeps running and names the cause and the remedy."""

import subprocess

import connector
import event_counter
import harness

CONFIG = "reader:\n  canary_interval: 1s\n"
USER = ("unshare", "--user")
USER_AS_ROOT = ("unshare", "--user", "--map-root-user")
PIDS = ("unshare", "--pid", "--fork", "--kill-child")
TIME = ("unshare", "--time", "--monotonic", "100000", "--fork", "--kill-child")

NAMESPACES = (
    ("network", {"before_exec": harness.enter_new_network}, ["network namespace", "--network host"]),
    ("PID", {"prefix": PIDS}, ["PID namespace", "--pid host"]),
    ("user", {"prefix": USER}, ["user namespace", "--userns host"]),
    ("user, as root of the namespace", {"prefix": USER_AS_ROOT}, ["user namespace", "--userns host"]),
    ("network and PID", {"before_exec": harness.enter_new_network, "prefix": PIDS}, ["--network host", "--pid host"]),
    ("time", {"prefix": TIME}, ["time namespace", "unshare without --time"]),
    ("PID and user", {"prefix": (*USER, "--pid", "--fork", "--kill-child")}, ["--pid host", "--userns host"]),
)


class Namespaces(harness.LiveTest):
    def check_unsubscribed(self, exporter, remedies):
        response = exporter.readiness()
        self.assertEqual(response.status, 503)
        text = response.body.decode()
        self.assertEqual(text.count("\n"), 1, text)
        for remedy in remedies:
            self.assertIn(remedy, text)
        self.assertEqual(exporter.get("/-/healthy").status, 200)
        self.assertEqual(exporter.scrape().value("procevent_up"), 0)

    def attempts(self, exporter):
        return exporter.scrape().sum("procevent_subscription_restarts_total")

    def has_cause(self, exporter):
        response = exporter.readiness()
        return response is not None and b"namespace" in response.body

    def test_readiness_names_the_remedy(self):
        for name, options, remedies in NAMESPACES:
            with self.subTest(name), harness.Exporter(config=CONFIG, **options) as exporter:
                harness.wait_for("a cause", lambda: self.has_cause(exporter))
                self.check_unsubscribed(exporter, remedies)
                # The counter makes the kernel send events to every socket of this network namespace. Receiving them
                # proves no subscription of the exporter.
                with event_counter.EventCounter() as observer, harness.Storm("fork", 500) as storm:
                    harness.await_storm(storm, observer)
                    self.check_unsubscribed(exporter, remedies)
                    attempts_before = self.attempts(exporter)
                    harness.wait_for("two more attempts", lambda: self.attempts(exporter) >= attempts_before + 2)
                    self.check_unsubscribed(exporter, remedies)

    def test_commands_name_the_time_namespace(self):
        before = connector.listener_count()
        for command in (("watch", "--events", "--duration", "1s"), ("record", "--duration", "1s", "/dev/null")):
            with self.subTest(command[0]):
                done = subprocess.run([*TIME, harness.exporter_binary(), *command], stdin=subprocess.DEVNULL, check=False,
                                      capture_output=True, text=True, timeout=harness.DEADLINE_SECONDS)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("time namespace", done.stderr)
        self.assertEqual(connector.listener_count(), before, "a subscription was left behind")


if __name__ == "__main__":
    harness.main()
