"""Tests that scrapers get complete and current answers while a storm takes all CPUs and overflows the receive buffer."""

import contextlib
import concurrent.futures
import os
import time

import harness
import identities

SECONDS = float(os.environ.get("PROCEVENT_OVERLOAD_SECONDS", 5))
SCRAPE_INTERVAL = 0.25
STAGGER = 0.1  # between the two scrapers of a pair
MAX_SECONDS = 2  # of a scrape, and of the age of its numbers
MORE_THAN_ENOUGH = 10**12  # the storm is ended earlier


@contextlib.contextmanager
def saturating_storm(kind="rename"):
    """Two processes for each CPU that only make events. A rename is the fastest one, 600 ns, and open to any user."""
    with harness.Storm(kind, MORE_THAN_ENOUGH, workers=2 * os.cpu_count()) as storm:
        yield storm


class Overload(harness.LiveTest):
    def page(self, exporter):
        answer = exporter.get("/metrics", headers={"Accept-Encoding": "identity"})
        self.assertEqual(answer.status, 200)
        return identities.Page(answer.body.decode())

    def scrape_repeatedly(self, exporter, delay, end):
        """The pages of one scraper, with the seconds that each took."""
        time.sleep(delay)
        taken = []
        while (start := time.monotonic()) < end:
            taken.append((self.page(exporter), time.monotonic() - start))
            time.sleep(max(0, start + SCRAPE_INTERVAL - time.monotonic()))
        return taken

    def check_scrapes(self, taken, event="comm"):
        self.assertGreater(len(taken), SECONDS)
        before = 0
        for page, seconds in taken:
            self.assertEqual(page.of("procevent_listener_up", {}), [1])
            self.assertLess(seconds, MAX_SECONDS)
            identities.check_sums(self, page)
            (now,) = page.of("procevent_events_total", {"event": event})
            self.assertGreater(now, before, "a scrape got the numbers of the scrape before")
            before = now

    def scrape_in_pairs(self, exporter, kind, event):
        with saturating_storm(kind), concurrent.futures.ThreadPoolExecutor() as pool:
            time.sleep(1)
            end = time.monotonic() + SECONDS
            scrapers = [pool.submit(self.scrape_repeatedly, exporter, delay, end) for delay in (0, STAGGER)]
            pages = [scraper.result() for scraper in scrapers]
        slowest = [max(seconds for _, seconds in taken) for taken in pages]
        print(f"{kind}: scrapes: {[len(taken) for taken in pages]}, slowest: {slowest[0]:.2f} s and {slowest[1]:.2f} s")
        for taken in pages:
            self.check_scrapes(taken, event)

    def test_two_staggered_scrapers(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            for kind, event in (("rename", "comm"), ("vfork", "fork")):
                with self.subTest(kind):
                    self.scrape_in_pairs(exporter, kind, event)
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
                self.check_scrapes(scraper.result())


if __name__ == "__main__":
    harness.main()
