"""After a rename flood has filled the group table, a storm's command gets a series of its own that counts exactly."""

import select
import subprocess

import harness
import identities

LIMIT = 500  # the default of groups.limit
FLOOD_NAMES = 200_000
STORM = "storm-of-forks"
STORM_RATE = 3000  # forks per second
STORM_SECONDS = 20
SCRAPE_SECONDS = 2
SCRAPES_UNTIL_SERIES = 2
PER_SCRAPE = STORM_RATE * SCRAPE_SECONDS


class NamedForks:
    """A running named_forks. It forks on request, and is the witness of the number of forks."""

    def __init__(self):
        self._process = subprocess.Popen([harness.program("PROCEVENT_NAMED_FORKS")], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure is not None:
            self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()
        code = self._process.wait()
        if failure is None and code != 0:
            raise AssertionError(f"named_forks ended with {code}")

    def request(self, prefix, names, forks, rate=0):
        self._process.stdin.write(f"{prefix} {names} {forks} {rate}\n")
        self._process.stdin.flush()

    def finishes_within(self, seconds):
        """Whether the request ends in that time."""
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def forks(self):
        """Waits for the end of the request. Returns the number of its forks."""
        return int(self._process.stdout.readline())


class TopTalker(harness.LiveTest):
    def setUp(self):
        self.page = None
        self.commands = set()  # that had a series on any page

    def scrape(self, exporter):
        """Gets the next page and checks its sums, and that no counter falls while its series exists."""
        answer = exporter.get("/metrics")
        self.assertEqual(answer.status, 200)
        before, self.page = self.page, identities.Page(answer.body.decode())
        identities.check_sums(self, self.page)
        for key, value in before.growing.items() if before else ():
            self.assertGreaterEqual(self.page.growing.get(key, value), value, key)
        self.commands |= {labels["comm"] for name in self.page.growing_names
                          for labels, _ in self.page.families.rows(name) if "comm" in labels}

    def total(self, name):
        return self.page.families.sum(name)

    def flood(self, exporter, source):
        """Fills the group table, and scrapes meanwhile."""
        source.request("flood", FLOOD_NAMES, 1)
        while not source.finishes_within(SCRAPE_SECONDS):
            self.scrape(exporter)
        self.assertEqual(source.forks(), FLOOD_NAMES)
        self.scrape(exporter)
        self.assertEqual(self.total("procevent_groups"), LIMIT)
        self.assertGreater(self.total("procevent_groups_overflowed_total"), LIMIT)
        self.assertEqual(self.total("procevent_events_lost_total"), 0)

    def storm(self, exporter, source):
        """Scrapes in each pause of the storm. Returns the forks that its series shows (None: no series), and those
        made until then, by page."""
        pages, made = [], 0
        for _ in range(STORM_SECONDS // SCRAPE_SECONDS):
            source.request(STORM, 1, PER_SCRAPE, STORM_RATE)
            made += source.forks()
            self.scrape(exporter)
            shown = self.page.of("procevent_forks_total", {"comm": STORM})
            pages.append((shown[0] if shown else None, made))
        return pages

    def check_storm(self, pages):
        appeared = next((number for number, (shown, _) in enumerate(pages) if shown is not None), len(pages))
        self.assertLess(appeared, SCRAPES_UNTIL_SERIES, pages)
        # The page on which the series appears may hold its counts back. The next one has all that it counted.
        (_, before), (counted, made), *later = pages[appeared:]
        self.assertLessEqual(counted, made, pages)
        self.assertGreaterEqual(counted, made - before, pages)
        for shown, made_until in later:
            self.assertEqual(shown - counted, made_until - made, pages)

    def test_storm_after_a_rename_flood_has_a_series(self):
        with harness.Exporter() as exporter, NamedForks() as source:
            exporter.wait_ready()
            self.scrape(exporter)
            self.assertEqual(self.total("procevent_groups_limit"), LIMIT)
            self.flood(exporter, source)
            flooded = len(self.commands)
            pages = self.storm(exporter, source)
            self.check_storm(pages)
            self.assertLessEqual(len(self.commands), 2 * LIMIT)
            print(f"{flooded} commands with series after the flood, {len(self.commands)} after the storm; "
                  f"displaced: {self.page.of('procevent_groups_displaced_total', {})}; forks by page: {pages}")


if __name__ == "__main__":
    harness.main()
