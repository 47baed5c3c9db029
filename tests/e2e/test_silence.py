"""Anybody may bring the kernel's count of listeners down, and so make every listener deaf (6.6 and newer). The exporter
finds out, gets heard again, and says for how long it was blind."""

import os
import re
import time
import unittest

import connector
import harness
import measure
import witness

ROUNDS = 200
NOBODY = 65534
WITHIN_SECONDS = 10  # what is promised; it is waited for longer, to say how long it took


def silence_as_nobody():
    """Exit status of an unprivileged process that takes ROUNDS from the kernel's count of listeners."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            connector.change_listener_count(-ROUNDS)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Silence(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        release = os.uname().release
        if tuple(map(int, re.findall(r"\d+", release)[:2])) < (6, 6):
            raise unittest.SkipTest(f"Linux {release}: before 6.6 nobody unprivileged can silence anybody")
        super().setUpClass()

    def setUp(self):
        # Another listener might be heard again before the exporter.
        try:
            harness.wait_for("other listeners to the connector to end; stop them", connector.forget_the_dead)
        except AssertionError as error:
            harness.require(str(error))
        self.addCleanup(connector.forget_the_dead)

    def restarts(self, scrape):
        return scrape.value("procevent_listener_restarts_total", reason="silence")

    def forks(self, scrape):
        return scrape.value("procevent_events_total", event="fork")

    def test_heard_again(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            before = exporter.scrape()
            with exporter.stopped():  # a young one finds out within moments
                self.assertEqual(silence_as_nobody(), 0, "an unprivileged process could not do it")
                self.assertFalse(connector.somebody_listens(), "silenced, but still heard: the test does not bite")
            start = time.monotonic()
            # Asked for nothing meanwhile: a scrape might help it to find out.
            harness.wait_for("the exporter to find out", connector.somebody_listens)

            def recovered():
                scrape = exporter.scrape()
                listening = scrape.value("procevent_listener_up") == 1
                return scrape if listening and self.restarts(scrape) > self.restarts(before) else None

            scrape = harness.wait_for("the exporter to be heard again", recovered)
            seconds = time.monotonic() - start
            self.assertLess(seconds, WITHIN_SECONDS)
            blind = scrape.value("procevent_blind_seconds_total") - before.value("procevent_blind_seconds_total")
            self.assertGreater(blind, 0)
            self.assertLess(blind, WITHIN_SECONDS)
            self.assertEqual(exporter.readiness().status, 200)
            print(f"heard again after {seconds:.1f} s; counted as blind: {blind:.1f} s")
            self.check_exact_again(exporter)

    def check_exact_again(self, exporter):
        with witness.Witness() as onlooker:
            connector.prime_cpus()
            first = measure.cut(exporter, onlooker)
            with harness.Storm("fork", 1000) as storm:
                harness.await_storm(storm, onlooker)
            second = measure.cut(exporter, onlooker)
        measure.check_growth(self, measure.growth(first.events, second.events), first.span, second.span)
        self.assertEqual(second.scrape.sum("procevent_events_lost_total"),
                         first.scrape.sum("procevent_events_lost_total"))

    def test_forks_of_the_blind_time_are_not_forgotten(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            before = exporter.scrape()
            with exporter.stopped():  # it would find out before the storm is over
                self.assertEqual(silence_as_nobody(), 0)
                with harness.Storm("fork", 300) as storm:
                    storm.wait()

            def noticed():
                scrape = exporter.scrape()
                grown = scrape.sum("procevent_forks_unseen_total") - before.sum("procevent_forks_unseen_total")
                return (scrape, grown) if grown > 0 and scrape.value("procevent_listener_up") == 1 else None

            # Whoever made the kernel speak again: the exporter itself, or another listener before it could.
            after, unseen = harness.wait_for("the exporter to be heard again", noticed)
            seen = self.forks(after) - self.forks(before)
            self.assertGreaterEqual(unseen + seen, storm.numbers["forks"] + 1)
            missed = after.value("procevent_kernel_forks_total") - self.forks(after)
            self.assertGreaterEqual(missed, 0)
            self.assertLessEqual(missed, after.sum("procevent_forks_unseen_total") +
                                 after.sum("procevent_events_lost_total"))

    def test_the_first_scrape_after_a_short_silence_adds_up(self):
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
