"""Processes with hostile names: whatever bytes they choose, a real Prometheus takes the page, and shows what it says."""

import ctypes
import os
import random
import re
import unicodedata

import harness
import prometheus

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


class HostileNames(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.why_not())

    def test_prometheus_takes_them_all(self):
        names = list(NAMED.values()) + random_names()
        with harness.Exporter(config=CONFIG) as exporter:
            exporter.wait_ready()
            with prometheus.Prometheus(exporter.port) as server:
                server.wait_scraping()
                for name in names:
                    call_itself_and_fork(name)
                mine = harness.wait_for("every name to be booked", lambda: self.booked(exporter, len(set(names))))
                theirs = harness.wait_for("Prometheus to have them", lambda: self.stored(server, len(mine)))
                self.assertEqual(set(mine), theirs)
                self.assertEqual([value for _, value in server.query("min_over_time(up[10m])")], ["1"])
        for label in mine:
            self.assertFalse([c for c in label if unicodedata.category(c) in HIDDEN], repr(label))
        for text in ('a"b"', "a\\b\\", "a\\x0ab\\x0a", 'x",comm="y', "\\x1b[2J", "ааааааа\\xd0", "[untracked proc"):
            self.assertGreaterEqual(mine.get(text, 0), 1, text)

    def booked(self, exporter, least):
        """Forks by comm, as our own page tells them; nothing until all are there."""
        rows = exporter.scrape().by("procevent_forks_total", "comm")
        return {unescaped(label): value for label, value in rows.items()} if len(rows) > 0.99 * least else None

    def stored(self, server, least):
        rows = server.query("procevent_forks_total")
        return {labels["comm"] for labels, _ in rows} if len(rows) >= least else None


if __name__ == "__main__":
    harness.main()
