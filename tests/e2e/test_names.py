"""Processes with hostile names: whatever bytes they choose, a real Prometheus and a real VictoriaMetrics take the page,
show what it says, and find each name when asked for it."""

import ctypes
import os
import random
import re
import unicodedata

import harness
import prometheus
import victoria

PR_SET_NAME = 15
RANDOM_NAMES = 400
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # what Unicode calls controls, formats, surrogates, and ends of lines
CONFIG = "comms:\n  limit: 1000\n"
NAMED = {
    "quotes": b'a"b"',
    "backslash": b"a\\b\\",
    "backslash at the cut": b"12345678901234\\",
    "newline": b"a\nb\n",
    "looks like a label": b'x",comm="y',
    "looks like a line": b"x 1\nup 0",
    "closing brace": b"} 1",
    "escape of a terminal": b"\x1b[2J",
    "all controls": bytes(range(1, 16)),
    "no UTF-8": b"\xff\xfe\x80",
    "cut character": "аааааааа".encode()[:15],
    "overlong": b"\xc0\xaf\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "turns the text": "a\u202eb".encode(),
    "a reserved row, cut": b"[untracked processes]",
}
# What some of them look like on our page.
WORST = ('a"b"', "a\\b\\", "12345678901234\\", "a\\x0ab\\x0a", 'x",comm="y', "x 1\\x0aup 0", "} 1", "\\x1b[2J",
         "\\xff\\xfe\\x80", "ааааааа\\xd0", "[untracked proc")


def call_itself_and_fork(name):
    """A process that takes the name, and forks a child under it; both are gone when this returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        if libc.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0) == 0:
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0)
            os.waitpid(grandchild, 0)
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise AssertionError(f"a child could not call itself {name!r}")


def unescaped(value):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), value)


def random_names():
    dice = random.Random(1)
    return [bytes(dice.randrange(1, 256) for _ in range(dice.randrange(1, 16))) for _ in range(RANDOM_NAMES)]


def selector(operator, text):
    """PromQL for forks by their name."""
    return 'procevent_forks_total{comm%s"%s"}' % (operator, text.replace("\\", "\\\\").replace('"', '\\"'))


class HostileNames(harness.LiveTest):
    def test_prometheus_takes_them_all(self):
        harness.require(prometheus.why_not())
        self.check(prometheus.Prometheus)

    def test_victoria_metrics_takes_them_all(self):
        harness.require(victoria.why_not())
        self.check(victoria.VictoriaMetrics)

    def check(self, scraper):
        names = list(NAMED.values()) + random_names()
        with harness.Exporter(config=CONFIG) as exporter:
            exporter.wait_ready()
            with scraper(exporter.port) as server:
                server.wait_scraping()
                for name in names:
                    call_itself_and_fork(name)
                mine = harness.wait_for("every name to be booked", lambda: self.booked(exporter, len(set(names))))
                theirs = harness.wait_for(f"{server.name} to have them", lambda: self.stored(server, set(mine)))
                later = set(self.booked(exporter, len(set(names))))
                self.assertLessEqual(theirs, later, "only what we said, byte for byte")
                self.check_found_by_name(server, mine)
                self.check_nothing_is_left_out(server, exporter)
        for label in mine:
            self.assertFalse([c for c in label if unicodedata.category(c) in HIDDEN], repr(label))
        for label in WORST:
            self.assertGreaterEqual(mine.get(label, 0), 1, label)

    def booked(self, exporter, least):
        """Forks by comm, as our own page tells them; nothing until all are there."""
        rows = exporter.scrape().by("procevent_forks_total", "comm")
        return {unescaped(label): value for label, value in rows.items()} if len(rows) > 0.99 * least else None

    def stored(self, server, least):
        """All that is there once `least` is; others may have forked meanwhile."""
        labels = {labels["comm"] for labels, _ in server.query("procevent_forks_total")}
        return labels if least <= labels else None

    def check_found_by_name(self, server, mine):
        for label in WORST:
            with self.subTest(label):
                for operator, text in (("=", label), ("=~", re.escape(label))):
                    ((labels, value),) = server.query(selector(operator, text))
                    self.assertEqual((labels["comm"], float(value)), (label, mine[label]))
                others = {labels["comm"] for labels, _ in server.query(selector("!=", label))}
                self.assertEqual(set(mine) - others, {label})

    def check_nothing_is_left_out(self, server, exporter):
        """Every sample of a page was taken in, by every scrape so far."""
        everything = 'count({__name__=~"(procevent|process)_.+"}) == sum(scrape_samples_scraped)'

        def complete():
            rows = server.query(everything)
            return rows and int(rows[0][1]) == exporter.scrape().count()

        harness.wait_for(f"{server.name} to have every sample of the page", complete)
        self.assertEqual([value for _, value in server.query("min_over_time(up[10m])")], ["1"])
        self.assertEqual(server.passed_over(), 0)


if __name__ == "__main__":
    harness.main()
