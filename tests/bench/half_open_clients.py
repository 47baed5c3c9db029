#!/usr/bin/env python3
"""Measures how long scrapes take beside clients that never finish their request.

Opens --clients connections at once, each with half of a request. civetweb gives each a thread until its request is
complete or 1.5 s have passed, so a scrape waits for those before it. Prints the seconds of each scrape. Needs root.
"""

import argparse
import contextlib
import os
import resource
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import harness  # noqa: E402

SCRAPES = 8


def open_half_requests(port, count, clients):
    for _ in range(count):
        client = clients.enter_context(socket.socket())
        client.settimeout(harness.DEADLINE_SECONDS)
        with contextlib.suppress(OSError):
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the exporter")
    parser.add_argument("--clients", type=int, default=1000)
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = options.binary
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * options.clients + 100,) * 2)
    with harness.Exporter() as exporter, contextlib.ExitStack() as clients:
        exporter.wait_ready()
        opening = threading.Thread(target=open_half_requests, args=(exporter.port, options.clients, clients))
        opening.start()
        time.sleep(0.5)
        for _ in range(SCRAPES):
            start = time.monotonic()
            exporter.get("/metrics")
            print(f"{time.monotonic() - start:.2f} s", flush=True)
        opening.join()


if __name__ == "__main__":
    main()
