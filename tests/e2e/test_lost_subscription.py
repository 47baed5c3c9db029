"""An unprivileged process decrements the kernel's listener count, which ends the events of all listeners (Linux 6.6 and
newer). The exporter must detect it, subscribe again, and report the unsubscribed time."""

import os
import re
import time
import unittest

import connector
import event_counter
import harness
import measure

DECREMENTS = 200
NOBODY = 65534
MAX_SECONDS = 10  # as documented; the test waits longer, to report the time


def end_subscriptions_as_nobody():
    """Decrements the kernel's listener count in an unprivileged process. Returns its exit status."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            connector.change_listener_count(-DECREMENTS)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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
        return scrape.value("procevent_listener_restarts_total", reason="silence")

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
                up = scrape.value("procevent_listener_up") == 1
                return scrape if up and self.restarts(scrape) > self.restarts(before) else None

            scrape = harness.wait_for("the exporter to report the subscription", recovered)
            seconds = time.monotonic() - start
            self.assertLess(seconds, MAX_SECONDS)
            blind = scrape.value("procevent_blind_seconds_total") - before.value("procevent_blind_seconds_total")
            self.assertGreater(blind, 0)
            self.assertLess(blind, MAX_SECONDS)
            self.assertEqual(exporter.readiness().status, 200)
            print(f"subscribed again after {seconds:.1f} s, {blind:.1f} s counted as unsubscribed")
            self.check_exact_again(exporter)

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
                grown = scrape.sum("procevent_forks_unseen_total") - before.sum("procevent_forks_unseen_total")
                return (scrape, grown) if grown > 0 and scrape.value("procevent_listener_up") == 1 else None

            # The subscription may have been restored by the exporter or by another listener.
            after, unseen = harness.wait_for("the exporter to report the subscription", recovered)
            received = self.forks(after) - self.forks(before)
            self.assertGreaterEqual(unseen + received, storm.numbers["forks"] + 1)
            missed = after.value("procevent_kernel_forks_total") - self.forks(after)
            self.assertGreaterEqual(missed, 0)
            self.assertLessEqual(missed, after.sum("procevent_forks_unseen_total") +
                                 after.sum("procevent_events_lost_total"))

    def test_first_scrape_after_a_short_lost_subscription_adds_up(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            for _ in range(3):
                exporter.scrape()
                connector.change_listener_count(-1)
                for _ in range(40):
                    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
                connector.change_listener_count(1)
                scrape = exporter.scrape()
                missed = scrape.value("procevent_kernel_forks_total") - self.forks(scrape)
                self.assertGreaterEqual(missed, 0)
                self.assertLessEqual(missed, scrape.sum("procevent_forks_unseen_total") +
                                     scrape.sum("procevent_events_lost_total"))


if __name__ == "__main__":
    harness.main()
