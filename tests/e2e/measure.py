"""Compares the exporter's numbers with those of EventCounter, on a machine that may never be idle."""

import collections
import time

import event_counter
import harness

IDLE_SECONDS = 5  # to find one scrape during which no process of the machine starts or ends
TOTAL_IDLE_SECONDS = 60  # the same for all scrapes of a test file
MAX_WIDTH = 0.05  # events during the scrapes, as a share of the storm's events

# `events`: counts of the scrape by type. `span`: counts of EventCounter at the time of the scrape.
ScrapeWithSpan = collections.namedtuple("ScrapeWithSpan", "scrape events span")


class IdleBudget:
    """The time that may be spent on waiting for an idle machine, for one scrape and for all of them."""

    def __init__(self):
        self._left = TOTAL_IDLE_SECONDS

    def best_scrape(self, take):
        """Returns the first result of `take` without events during it, or else the one with the fewest.

        `take` returns None, or an object with a span.
        """
        start = time.monotonic()
        seconds = min(IDLE_SECONDS, self._left)
        best = None
        while best is None or (event_counter.width(best.span) > 0 and time.monotonic() - start < seconds):
            taken = take()
            if taken is not None and (best is None or event_counter.width(taken.span) < event_counter.width(best.span)):
                best = taken
            if taken is None and time.monotonic() - start > harness.DEADLINE_SECONDS:
                raise AssertionError(f"no scrape within {harness.DEADLINE_SECONDS} s")
        self._left = max(0, self._left - (time.monotonic() - start))
        return best


IDLE_BUDGET = IdleBudget()


def scrape_with_span(exporter, counter):
    """A scrape and the counter's span. The span is exact if no process started or ended during the scrape."""

    def take():
        start = time.monotonic_ns()
        scrape = exporter.scrape()
        return ScrapeWithSpan(scrape, harness.event_counts(scrape), counter.span(start, time.monotonic_ns()))

    return IDLE_BUDGET.best_scrape(take)


def growth(before, after):
    return {name: after[name] - before[name] for name in after}


def check_growth(test, grown, before, after):
    """Checks that the growth by type is the counter's growth from span `before` to span `after`."""
    least = growth(before.most, after.least)
    most = growth(before.least, after.most)
    width = event_counter.width(before) + event_counter.width(after)
    if width == 0:
        test.assertEqual(grown, most)
        return
    print(f"this machine was never idle: {width} events of {sum(most.values())} happened during the scrapes")
    test.assertLess(width, MAX_WIDTH * sum(most.values()), "this machine is too busy to measure anything")
    test.assertEqual(set(grown), set(most))
    for name, number in grown.items():
        test.assertTrue(least[name] <= number <= most[name], f"{name}: {least[name]} <= {number} <= {most[name]}")
