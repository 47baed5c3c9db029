#!/usr/bin/env python3
"""Measures how long scrapes take beside clients that never finish their request.

Opens a number of connections at once, each with half of a request. civetweb gives each a thread until its request is
complete or 1.5 s have passed, so a scrape waits for those before it. Prints the longest of some scrapes for each number
of clients, as the table of docs/performance.md. Needs root.
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


def longest_scrape(count):
    with harness.Exporter() as exporter, contextlib.ExitStack() as clients:
        exporter.wait_ready()
        opening = threading.Thread(target=open_half_requests, args=(exporter.port, count, clients))
        opening.start()
        time.sleep(0.5)
        seconds = []
        for _ in range(SCRAPES):
            start = time.monotonic()
            exporter.get("/metrics")
            seconds.append(time.monotonic() - start)
        opening.join()
    return max(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build")
    parser.add_argument("--clients", type=lambda text: [int(number) for number in text.split(",")],
                        default=[64, 100, 400, 1000], help="numbers of clients, such as 64,100")
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * max(options.clients) + 1024,) * 2)
    print("| clients with half a request | longest scrape |\n| --- | --- |")
    for count in options.clients:
        print(f"| {count} | {longest_scrape(count):.1f} s |", flush=True)


if __name__ == "__main__":
    main()
