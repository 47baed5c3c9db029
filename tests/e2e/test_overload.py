"""Tests that scrapers get complete and current answers while a storm takes all CPUs and overflows the receive buffer."""

import collections
import concurrent.futures
import contextlib
import os
import time

import harness
import identities

SECONDS = float(os.environ.get("PROCEVENT_OVERLOAD_SECONDS", 5))
SCRAPE_INTERVAL = 0.25
STAGGER = 0.1  # between the two scrapers of a pair
MAX_SECONDS = 2  # of a scrape
MORE_THAN_ENOUGH = 10**12  # the storm is ended earlier

Scrape = collections.namedtuple("Scrape", "start end answer")


@contextlib.contextmanager
def saturating_storm(kind="rename"):
    """Two processes for each CPU that only make events. A rename is the fastest one, 600 ns, and open to any user."""
    with harness.Storm(kind, MORE_THAN_ENOUGH, workers=2 * os.cpu_count()) as storm:
        yield storm


class Overload(harness.LiveTest):
    def scrape_repeatedly(self, exporter, delay, end):
        """The scrapes of one scraper."""
        time.sleep(delay)
        scrapes = []
        while (start := time.monotonic()) < end:
            answer = exporter.get("/metrics")
            scrapes.append(Scrape(start, time.monotonic(), answer))
            time.sleep(max(0, start + SCRAPE_INTERVAL - time.monotonic()))
        return scrapes

    def check_scrapes(self, scrapes, event):
        """Checks the scrapes of all scrapers. Returns the share that has the audit of forks."""
        self.assertGreater(len(scrapes), SECONDS)
        audited = 0
        counts = []  # with the times when they were received
        for scrape in sorted(scrapes, key=lambda scrape: scrape.start):
            self.assertEqual(scrape.answer.status, 200)
            self.assertLess(scrape.end - scrape.start, MAX_SECONDS)
            page = identities.Page(scrape.answer.body.decode())
            self.assertEqual(page.of("procevent_up", {}), [1])
            audited += identities.check_sums(self, page)
            (count,) = page.of("procevent_events_total", {"event": event})
            known = max((known for end, known in counts if end <= scrape.start), default=0)
            self.assertGreater(count, known, "older than a page that was received before the request")
            counts.append((scrape.end, count))
        return audited / len(scrapes)

    def scrape_in_pairs(self, exporter, kind, event):
        with saturating_storm(kind), concurrent.futures.ThreadPoolExecutor() as pool:
            time.sleep(1)
            end = time.monotonic() + SECONDS
            scrapers = [pool.submit(self.scrape_repeatedly, exporter, delay, end) for delay in (0, STAGGER)]
            scrapes = [scrape for scraper in scrapers for scrape in scraper.result()]
        audited = self.check_scrapes(scrapes, event)
        seconds = sorted(scrape.end - scrape.start for scrape in scrapes)
        print(f"{kind}: {len(scrapes)} scrapes, median {seconds[len(seconds) // 2]:.2f} s, slowest {seconds[-1]:.2f} s, "
              f"with the audit of forks: {audited:.0%}")
        return audited

    def test_two_staggered_scrapers(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            for kind, event in (("rename", "comm"), ("vfork", "fork")):
                with self.subTest(kind):
                    self.assertGreater(self.scrape_in_pairs(exporter, kind, event), 0)
            self.assertGreater(exporter.scrape().sum("procevent_events_lost_total"), 0, "there was no overload")

    def test_readiness_beside_scrapes(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with saturating_storm(), concurrent.futures.ThreadPoolExecutor() as pool:
                time.sleep(1)
                end = time.monotonic() + SECONDS
                scraper = pool.submit(self.scrape_repeatedly, exporter, 0, end)
                while time.monotonic() < end:
                    for path in ("/-/ready", "/"):
                        answer = exporter.get(path)
                        self.assertEqual(answer.status, 200, answer.body)
                    time.sleep(STAGGER)
                self.check_scrapes(scraper.result(), "comm")


if __name__ == "__main__":
    harness.main()
