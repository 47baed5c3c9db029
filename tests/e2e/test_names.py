"""Hostile process names: Prometheus and VictoriaMetrics accept every scrape, store each label byte for byte, and find
each series by its label."""

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
# Unicode controls, formats, surrogates, line and paragraph separators.
UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
CONFIG = "groups:\n  limit: 1000\n"
NAMED = {
    "quotes": b'a"b"',
    "backslash": b"a\\b\\",
    "backslash at the cut": b"12345678901234\\",
    "newline": b"a\nb\n",
    "like a label": b'x",comm="y',
    "like a sample line": b"x 1\nup 0",
    "closing brace": b"} 1",
    "terminal escape": b"\x1b[2J",
    "all controls": bytes(range(1, 16)),
    "no UTF-8": b"\xff\xfe\x80",
    "cut character": "аааааааа".encode()[:15],
    "overlong": b"\xc0\xaf\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "right-to-left override": "a\u202eb".encode(),
    "truncated reserved name": b"[untracked processes]",
}
# The labels that the exporter shows for some of them.
EXPECTED_LABELS = ('a"b"', "a\\b\\", "12345678901234\\", "a\\x0ab\\x0a", 'x",comm="y', "x 1\\x0aup 0", "} 1",
                   "\\x1b[2J", "\\xff\\xfe\\x80", "ааааааа\\xd0", "[untracked proc")


def fork_under_name(name):
    """Starts a process that takes the name and forks a child. Returns after both have exited."""
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
        raise AssertionError(f"a child could not set its name to {name!r}")


def unescape(value):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), value)


def random_names():
    generator = random.Random(1)
    return [bytes(generator.randrange(1, 256) for _ in range(generator.randrange(1, 16))) for _ in range(RANDOM_NAMES)]


def selector(operator, text):
    """PromQL selector of forks by command."""
    return 'procevent_forks_total{comm%s"%s"}' % (operator, text.replace("\\", "\\\\").replace('"', '\\"'))


class HostileNames(harness.LiveTest):
    def test_prometheus(self):
        harness.require(prometheus.skip_reason())
        self.check(prometheus.Prometheus)

    def test_victoria_metrics(self):
        harness.require(victoria.skip_reason())
        self.check(victoria.VictoriaMetrics)

    def check(self, scraper):
        names = list(NAMED.values()) + random_names()
        with harness.Exporter(config=CONFIG) as exporter:
            exporter.wait_ready()
            with scraper(exporter.port) as server:
                server.wait_scraping()
                for name in names:
                    fork_under_name(name)
                count = len(set(names))
                exposed = harness.wait_for("a series for every name", lambda: self.exposed_forks(exporter, count))
                stored = harness.wait_for(f"{server.name} to have them",
                                          lambda: self.stored_labels(server, set(exposed)))
                exposed_later = set(self.exposed_forks(exporter, count))
                self.assertLessEqual(stored, exposed_later, "labels differ from the exposed ones")
                self.check_selectors(server, exposed)
                self.check_every_sample_is_stored(server, exporter)
        for label in exposed:
            self.assertFalse([c for c in label if unicodedata.category(c) in UNPRINTABLE], repr(label))
        for label in EXPECTED_LABELS:
            self.assertGreaterEqual(exposed.get(label, 0), 1, label)

    def exposed_forks(self, exporter, count):
        """Returns the exposed forks by comm, or None while there are fewer series than `count`, less 1 %."""
        rows = exporter.scrape().by("procevent_forks_total", "comm")
        return {unescape(label): value for label, value in rows.items()} if len(rows) > 0.99 * count else None

    def stored_labels(self, server, expected):
        """Returns all stored labels once `expected` is among them. Other processes may add more."""
        labels = {labels["comm"] for labels, _ in server.query("procevent_forks_total")}
        return labels if expected <= labels else None

    def check_selectors(self, server, exposed):
        for label in EXPECTED_LABELS:
            with self.subTest(label):
                for operator, text in (("=", label), ("=~", re.escape(label))):
                    ((labels, value),) = server.query(selector(operator, text))
                    self.assertEqual((labels["comm"], float(value)), (label, exposed[label]))
                others = {labels["comm"] for labels, _ in server.query(selector("!=", label))}
                self.assertEqual(set(exposed) - others, {label})

    def check_every_sample_is_stored(self, server, exporter):
        """The server has stored every sample of every scrape so far."""
        count_query = 'count({__name__=~"(procevent|process)_.+"}) == sum(scrape_samples_scraped)'

        def complete():
            rows = server.query(count_query)
            return rows and int(rows[0][1]) == exporter.scrape().count()

        harness.wait_for(f"{server.name} to have every sample", complete)
        self.assertEqual([value for _, value in server.query("min_over_time(up[10m])")], ["1"])
        self.assertEqual(server.rejected_lines(), 0)


if __name__ == "__main__":
    harness.main()
