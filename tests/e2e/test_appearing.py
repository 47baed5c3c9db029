"""Tests that a new series is 0 until complete scrapes have shown it, on the live kernel."""

import contextlib
import socket
import subprocess
import time

import harness
import identities

RUNS = 20
LARGE_GROUPS = 300  # a page that does not fit into the buffers of a connection
BY_GROUP = "histograms:\n  exit_code: {by_group: true}\n  lifetime: {by_group: true}\n"


def run(name, command="exit 0", times=1):
    for _ in range(times):
        subprocess.run(["/bin/sh", "-c", f"ulimit -c 0; printf {name} >/proc/$$/comm; {command}"], check=False,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Appearing(harness.LiveTest):
    def page(self, exporter, by_group=False):
        """A complete scrape that adds up, once the exporter has counted it as sent."""
        page = identities.Page(exporter.get("/metrics").body.decode())
        identities.check_sums(self, page, by_group)
        time.sleep(0.1)
        return page

    def start(self, config=""):
        """An exporter with a complete first scrape."""
        exporter = self.enterContext(harness.Exporter(config=config)).wait_ready()
        self.page(exporter, by_group=config == BY_GROUP)
        return exporter

    def exits(self, page, name, outcome="success"):
        return page.of("procevent_exits_total", {"comm": name, "outcome": outcome})

    def pending(self, page, activity="exit"):
        return sum(page.of("procevent_pending", {"activity": activity}))

    def test_new_command_is_zero_and_then_exact(self):
        exporter = self.start()
        run("appearing-1", times=RUNS)
        time.sleep(0.3)  # names are confirmed
        first = self.page(exporter)
        self.assertEqual(self.exits(first, "appearing-1"), [0])
        self.assertGreaterEqual(self.pending(first), RUNS)
        self.assertEqual(self.exits(self.page(exporter), "appearing-1"), [RUNS])

    def test_two_scrapes_show_zero_with_first_scrapes_2(self):
        exporter = self.start("groups:\n  first_scrapes: 2\n")
        run("appearing-2", times=RUNS)
        time.sleep(0.3)
        values = [self.exits(self.page(exporter), "appearing-2") for _ in range(3)]
        self.assertEqual(values, [[0], [0], [RUNS]])

    def test_first_crash_of_a_known_command(self):
        exporter = self.start()
        run("appearing-3", times=3)
        time.sleep(0.3)
        self.page(exporter)
        self.assertEqual(self.exits(self.page(exporter), "appearing-3"), [3])
        run("appearing-3", "kill -SEGV $$")
        time.sleep(0.3)
        crash = {"comm": "appearing-3", "signal": "SIGSEGV"}
        pages = [self.page(exporter) for _ in range(2)]
        self.assertEqual([page.of("procevent_exit_signals_total", crash) for page in pages], [[0], [1]])
        self.assertEqual([self.exits(page, "appearing-3", "signal") for page in pages], [[0], [1]])
        self.assertGreaterEqual(self.pending(pages[0]), 1)

    def test_head_and_aborted_scrapes_do_not_count(self):
        exporter = self.start(BY_GROUP)
        for number in range(LARGE_GROUPS):
            run(f"appearing-{1000 + number}")
        time.sleep(0.3)
        for _ in range(3):
            self.assertEqual(exporter.get("/metrics", method="HEAD").status, 200)
            self.abort_scrape(exporter)
        time.sleep(0.3)
        first = self.page(exporter, by_group=True)
        self.assertGreater(len(first), 10000, "the page is too small to abort a scrape")
        self.assertEqual(self.exits(first, "appearing-1000"), [0])
        self.assertEqual(self.exits(self.page(exporter, by_group=True), "appearing-1000"), [1])

    def abort_scrape(self, exporter):
        """Receives the beginning of a page and resets the connection."""
        with contextlib.closing(socket.socket()) as client, harness.network_of(exporter.pid()):
            # The send buffer grows with the segment size: a connection of the loopback may take the whole page.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", exporter.port))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))


if __name__ == "__main__":
    harness.main()
