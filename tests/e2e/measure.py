"""The exporter's numbers held against the witness's, on a machine that may never rest."""

import collections
import time

import harness
import witness

REST_SECONDS = 5  # spent on finding one scrape while no process on this machine starts or ends
ALL_REST_SECONDS = 60  # the same, for all scrapes of a file of tests
MOST_WIDTH = 0.05  # of a storm's events; what is made beside it while scrapes are taken must be far less

# `span` is how many events the witness says there had been.
Cut = collections.namedtuple("Cut", "scrape events span")


class Patience:
    """How long may be waited for the machine to rest: for one scrape, and for all of them."""

    def __init__(self):
        self._left = ALL_REST_SECONDS

    def tightest(self, take):
        """The first of what `take` returns during which no event was made; if there is none, that with the fewest.

        It returns None, or something with a span.
        """
        start = time.monotonic()
        seconds = min(REST_SECONDS, self._left)
        best = None
        while best is None or (witness.width(best.span) > 0 and time.monotonic() - start < seconds):
            taken = take()
            if taken is not None and (best is None or witness.width(taken.span) < witness.width(best.span)):
                best = taken
            if taken is None and time.monotonic() - start > harness.DEADLINE_SECONDS:
                raise AssertionError(f"no scrape within {harness.DEADLINE_SECONDS} s")
        self._left = max(0, self._left - (time.monotonic() - start))
        return best


PATIENCE = Patience()


def cut(exporter, onlooker):
    """A scrape, and what the witness had been given; exactly, if no process on this machine started or ended then."""

    def take():
        start = time.monotonic_ns()
        scrape = exporter.scrape()
        return Cut(scrape, harness.event_counts(scrape), onlooker.span(start, time.monotonic_ns()))

    return PATIENCE.tightest(take)


def growth(before, after):
    return {name: after[name] - before[name] for name in after}


def check_growth(test, grown, before, after):
    """`grown`, by name, is what the witness saw from the span `before` to the span `after`: exactly, at rest."""
    least = growth(before.most, after.least)
    most = growth(before.least, after.most)
    width = witness.width(before) + witness.width(after)
    if width == 0:
        test.assertEqual(grown, most)
        return
    print(f"this machine never rested: {width} events of {sum(most.values())} were made during the scrapes")
    test.assertLess(width, MOST_WIDTH * sum(most.values()), "this machine is too busy to measure anything")
    test.assertEqual(set(grown), set(most))
    for name, number in grown.items():
        test.assertTrue(least[name] <= number <= most[name], f"{name}: {least[name]} <= {number} <= {most[name]}")
