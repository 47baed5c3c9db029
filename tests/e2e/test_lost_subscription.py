"""An unprivileged process decrements the kernel's listener count, which ends the events of all listeners (Linux 6.6 and
newer). The exporter must detect it, subscribe again, and report the unsubscribed time, or the forks that it missed."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import connector
import event_counter
import harness
import measure

DECREMENTS = 200
SLEEPERS = 60
FORKS = 100
GAP_FORKS = 40
# Canaries come 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 s after the subscription. One within the gap would find it.
SECONDS_WITHOUT_CANARY = 4
NOBODY = 65534
MAX_SECONDS = 10  # as documented; the test waits longer, to report the time


def end_subscriptions_as_nobody(decrements=DECREMENTS):
    """Decrements the kernel's listener count in an unprivileged process. Returns its exit status."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            connector.change_listener_count(-decrements)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Shell:
    """A copy of the shell, whose command is the name of the copy. Runs one line at a time, in a `with`."""

    def __init__(self, directory, name):
        self._process = subprocess.Popen([copy_shell(directory, name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, line):
        """Returns when the line has been run."""
        self._process.stdin.write(f"{line}\necho done\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise AssertionError(f"the shell ended: {line}")

    def exec(self, path):
        """Replaces the shell by another copy."""
        self._process.stdin.write(f"exec {path}\n")
        self._process.stdin.flush()
        harness.wait_for("the exec", lambda: os.readlink(f"/proc/{self._process.pid}/exe") == path)


def copy_shell(directory, name):
    return shutil.copy(os.path.realpath("/bin/sh"), os.path.join(directory, name))


def end(process):
    process.kill()
    process.wait()


def processes_in_proc():
    return sum(name.isdigit() for name in os.listdir("/proc"))


class LostSubscription(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        release = os.uname().release
        if tuple(map(int, re.findall(r"\d+", release)[:2])) < (6, 6):
            raise unittest.SkipTest(f"Linux {release}: before 6.6 only privileged processes change the listener count")
        super().setUpClass()

    def setUp(self):
        # Another listener might subscribe again before the exporter does.
        try:
            harness.wait_for("other listeners to the connector to end; stop them", connector.reset_listener_count)
        except AssertionError as error:
            harness.require(str(error))
        self.addCleanup(connector.reset_listener_count)

    def restarts(self, scrape):
        return scrape.value("procevent_subscription_restarts_total", reason="silence")

    def forks(self, scrape):
        return scrape.value("procevent_events_total", event="fork")

    def test_recovers(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            before = exporter.scrape()
            with exporter.stopped():  # otherwise it might recover before the check below
                self.assertEqual(end_subscriptions_as_nobody(), 0, "cannot change the listener count")
                self.assertFalse(connector.kernel_has_listeners(), "the kernel still sends events: the test proves nothing")
            start = time.monotonic()
            # No scrape meanwhile: a scrape might trigger the recovery.
            harness.wait_for("the exporter to subscribe again", connector.kernel_has_listeners)

            def recovered():
                scrape = exporter.scrape()
                up = scrape.value("procevent_up") == 1
                return scrape if up and self.restarts(scrape) > self.restarts(before) else None

            scrape = harness.wait_for("the exporter to report the subscription", recovered)
            seconds = time.monotonic() - start
            self.assertLess(seconds, MAX_SECONDS)
            unsubscribed = (scrape.value("procevent_unsubscribed_seconds_total") -
                            before.value("procevent_unsubscribed_seconds_total"))
            self.assertGreater(unsubscribed, 0)
            self.assertLess(unsubscribed, MAX_SECONDS)
            self.assertEqual(exporter.readiness().status, 200)
            print(f"subscribed again after {seconds:.1f} s, {unsubscribed:.1f} s counted as unsubscribed")
            self.check_exact_again(exporter)

    def test_a_gap_that_another_listener_ends_invalidates_what_is_known(self):
        """The canary returns in time. Only the kernel's count of forks shows the gap."""
        connector.reset_listener_count()  # one decrement must end the exporter's subscription
        with (tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory,
              harness.Exporter(config="reader:\n  canary_interval: 60s\n") as exporter):
            exporter.wait_ready()
            time.sleep(SECONDS_WITHOUT_CANARY)
            with Shell(directory, "pe-before") as shell, connector.Connector() as other:
                sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(SLEEPERS)]
                for sleeper in sleepers:
                    self.addCleanup(end, sleeper)
                shell.run("(:); (:)")
                harness.wait_for("the command of the shell", lambda: self.forks_of(exporter, "pe-before") == 2)
                self.assertEqual(end_subscriptions_as_nobody(1), 0, "cannot change the listener count")
                shell.exec(copy_shell(directory, "pe-after"))
                shell.run("(:); (:)")
                for sleeper in sleepers:
                    end(sleeper)
                self.assertFalse(connector.kernel_has_listeners(), "there was no gap: the test proves nothing")
                self.assertTrue(other.listen())
                start = time.monotonic()
                harness.wait_for("the exporter to detect the gap", lambda: "forks missed" in exporter.log())
                detected = time.monotonic() - start
                shell.run("i=0; while [ $i -lt %d ]; do (:); i=$((i + 1)); done" % FORKS)
                scrape = exporter.scrape()
                self.assertEqual(scrape.by("procevent_forks_total", "comm").get("pe-before"), 2)
                self.check_renewed(exporter, scrape)
                harness.wait_for("the processes that exited in the gap to be removed", lambda: abs(
                    exporter.scrape().value("procevent_processes") - processes_in_proc()) < SLEEPERS / 4)
                print(f"detected after {detected:.1f} s, removed after {time.monotonic() - start:.1f} s")
                self.check_renewed(exporter, exporter.scrape())
        self.assertEqual(connector.listener_count(), 0, "the renewal leaves no listener behind")

    def forks_of(self, exporter, comm):
        return exporter.scrape().by("procevent_forks_total", "comm").get(comm)

    def check_renewed(self, exporter, scrape):
        self.assertEqual(scrape.value("procevent_up"), 1)
        self.assertEqual(scrape.by("procevent_subscription_restarts_total", "reason"),
                         {"no_ack": 0, "silence": 0, "fault": 0, "unseen_clones": 1}, exporter.log())

    def check_exact_again(self, exporter):
        with event_counter.EventCounter() as observer:
            connector.prime_cpus()
            first = measure.scrape_with_span(exporter, observer)
            with harness.Storm("fork", 1000) as storm:
                harness.await_storm(storm, observer)
            second = measure.scrape_with_span(exporter, observer)
        measure.check_growth(self, measure.growth(first.events, second.events), first.span, second.span)
        self.assertEqual(second.scrape.sum("procevent_events_lost_total"),
                         first.scrape.sum("procevent_events_lost_total"))

    def test_forks_while_unsubscribed_are_counted(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            before = exporter.scrape()
            with exporter.stopped():  # otherwise it would recover before the storm ends
                self.assertEqual(end_subscriptions_as_nobody(), 0)
                with harness.Storm("fork", 300) as storm:
                    storm.wait()

            def recovered():
                scrape = exporter.scrape()
                grown = scrape.sum("procevent_unseen_clones_total") - before.sum("procevent_unseen_clones_total")
                return (scrape, grown) if grown > 0 and scrape.value("procevent_up") == 1 else None

            # The subscription may have been restored by the exporter or by another listener.
            after, unseen = harness.wait_for("the exporter to report the subscription", recovered)
            received = self.forks(after) - self.forks(before)
            self.assertGreaterEqual(unseen + received, storm.numbers["forks"] + 1)
            missed = after.value("procevent_kernel_clones_total") - self.forks(after)
            self.assertGreaterEqual(missed, 0)
            self.assertLessEqual(missed, after.sum("procevent_unseen_clones_total") +
                                 after.sum("procevent_events_lost_total"))

    def check_audit(self, scrape):
        """The kernel's count is left out while the exporter cannot tell whether missing forks are late or unseen."""
        if "procevent_kernel_clones_total" in scrape.names():
            missed = scrape.value("procevent_kernel_clones_total") - self.forks(scrape)
            self.assertGreaterEqual(missed, 0)
            self.assertLessEqual(missed, scrape.sum("procevent_unseen_clones_total") +
                                 scrape.sum("procevent_events_lost_total"))

    def test_scrapes_after_a_short_lost_subscription_add_up(self):
        connector.reset_listener_count()
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            before = exporter.scrape().value("procevent_unseen_clones_total")
            connector.change_listener_count(-1)
            for _ in range(GAP_FORKS):
                os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
            connector.change_listener_count(1)

            def found():
                scrape = exporter.scrape()
                self.check_audit(scrape)
                return scrape.value("procevent_unseen_clones_total") >= before + GAP_FORKS

            harness.wait_for("the unseen forks", found)


if __name__ == "__main__":
    harness.main()
