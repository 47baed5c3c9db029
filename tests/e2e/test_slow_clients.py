"""Tests that clients that do not read, or do not finish their request, cost little memory and little time."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import harness

NAMES = 10_000
CLIENTS = 60  # fewer than there are serving threads
MIN_PAGE_BYTES = 20_000_000
RECONNECTING = 200
MAX_SECONDS = 2  # of a scrape beside clients that reconnect
CONFIG = f"""
web:
  max_requests: {CLIENTS + 1}
groups:
  limit: {NAMES}
histograms:
  exit_code:
    by_group: true
  lifetime:
    by_group: true
"""
# Processes with different names, each of which ends at once.
MAKE_NAMES = """
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
for i in range(int(sys.argv[1])):
    prctl(15, b"name-%d" % i, 0, 0, 0)
    child = os.fork()
    if child == 0:
        os._exit(i % 256)
    os.waitpid(child, 0)
"""


def request(port):
    """A client that requests the page as plain text and does not read it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(harness.DEADLINE_SECONDS)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return client


def memory_bytes(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":"))


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


class SlowClients(harness.LiveTest):
    def test_clients_that_do_not_read_share_their_page(self):
        with harness.Exporter(config=CONFIG) as exporter, contextlib.ExitStack() as clients:
            exporter.wait_ready()
            subprocess.run([sys.executable, "-S", "-c", MAKE_NAMES, str(NAMES)], check=True,
                           timeout=4 * harness.DEADLINE_SECONDS)
            page = len(exporter.get("/metrics").body)
            self.assertGreater(page, MIN_PAGE_BYTES)
            before = memory_bytes(exporter.pid(), "VmRSS")
            forget_peak(exporter.pid())
            waiting = [clients.enter_context(request(exporter.port)) for _ in range(CLIENTS)]
            for client in waiting:
                self.assertEqual(client.recv(15), b"HTTP/1.1 200 OK")
            grown = memory_bytes(exporter.pid(), "VmHWM") - before
            print(f"page: {page / 1e6:.1f} MB, resident before: {before / 1e6:.1f} MB, grown by: {grown / 1e6:.1f} MB")
            self.assertLess(grown, 1.5 * page)
            self.assertEqual(exporter.get("/metrics").status, 200)

    def reconnect(self, port, stop):
        """Begins a request, gives up, and begins again."""
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
                stop.wait(0.2)

    def test_clients_that_reconnect_delay_no_scrape(self):
        stop = threading.Event()
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            clients = [threading.Thread(target=self.reconnect, args=(exporter.port, stop)) for _ in range(RECONNECTING)]
            for client in clients:
                client.start()
            try:
                for _ in range(5):
                    start = time.monotonic()
                    self.assertEqual(exporter.get("/metrics").status, 200)
                    self.assertLess(time.monotonic() - start, MAX_SECONDS)
                    time.sleep(0.2)
            finally:
                stop.set()
                for client in clients:
                    client.join()


if __name__ == "__main__":
    harness.main()
