#!/usr/bin/env python3
"""Measures the cost of a scrape during a storm, compared with node_exporter and process-exporter.

Scrapes each exporter in turn, with gzip and in OpenMetrics like Prometheus. The cost is the CPU time of the whole
process during the scrape, for procevent_exporter without the reader thread, which handles the storm independently of
scrapes. Prints medians as the table of docs/performance.md. Needs root and a release build, and for the other exporters
the Debian packages prometheus-node-exporter and prometheus-process-exporter.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.dont_write_bytecode = True
import gzip  # noqa: E402

import harness  # noqa: E402
import prometheus  # noqa: E402
from processes import cpu_ns, memory_mib  # noqa: E402

READER = "pe-reader"
SERIES_OF_COMM = 5  # of a command with exits but no forks; the other series are about 240
PEERS = (("node_exporter", "prometheus-node-exporter", "--web.listen-address=127.0.0.1:{}"),
         ("process-exporter", "prometheus-process-exporter", "-web.listen-address=127.0.0.1:{}"))


def reader_of(pid):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
            if file.read().strip() == READER:
                return int(thread)
    raise RuntimeError(f"process {pid} has no thread {READER}")


class Server:
    def __init__(self, name, pid, port):
        self.name = name
        self.pid = pid
        self._reader = reader_of(pid) if name.startswith("procevent") else None
        self._url = f"http://127.0.0.1:{port}/metrics"
        self.costs = []
        self.series = 0

    def cpu_ns(self):
        reader = 0
        if self._reader:
            with open(f"/proc/{self.pid}/task/{self._reader}/schedstat", encoding="ascii") as file:
                reader = int(file.read().split()[0])
        return cpu_ns(self.pid) - reader

    def scrape(self):
        request = urllib.request.Request(self._url, headers={"Accept": prometheus.ACCEPT, "Accept-Encoding": "gzip"})
        before = self.cpu_ns()
        with urllib.request.urlopen(request, timeout=10) as response:
            body = response.read()
            packed = response.headers.get("Content-Encoding") == "gzip"
        time.sleep(0.005)  # for work after the last byte
        self.costs.append(self.cpu_ns() - before)
        text = gzip.decompress(body) if packed else body
        self.series = sum(1 for line in text.splitlines() if line and not line.startswith(b"#"))

    def row(self):
        millis = statistics.median(self.costs) / 1e6
        return (f"| {self.name} | {self.series} | {millis:.2f} ms | {millis / self.series * 1000:.2f} ms "
                f"| {memory_mib(self.pid, 'VmRSS'):.1f} MiB | {memory_mib(self.pid, 'VmHWM'):.1f} MiB |")


@contextlib.contextmanager
def peer(name, binary, flag):
    port = harness.free_port()
    with subprocess.Popen([binary, flag.format(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            def is_ready():
                with contextlib.suppress(OSError):
                    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1).status == 200

            harness.wait_for(f"{name} to answer", is_ready)
            yield Server(name, process.pid, port)
        finally:
            process.terminate()


def fill(comms):
    """Starts and ends processes with that many names."""
    script = (f"i=0; while [ $i -lt {comms} ]; do (printf filler-$i >/proc/$BASHPID/comm; exec true); "
              "(printf filler-$i >/proc/$BASHPID/comm; exit 1); i=$((i+1)); done")
    subprocess.run(["bash", "-c", script], check=True)


@contextlib.contextmanager
def ours(series):
    comms = max(10, (series - 240) // SERIES_OF_COMM)
    with harness.Exporter(config=f"groups:\n  limit: {comms}\n") as exporter:
        exporter.wait_ready()
        fill(comms)
        yield Server(f"procevent_exporter, `groups.limit` {comms}", exporter.pid(), exporter.port)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build with tests")
    parser.add_argument("--scrapes", type=int, default=40, help="scrapes of each exporter")
    parser.add_argument("--series", default="1000,10000",
                        help="approximate numbers of series of procevent_exporter, one process for each")
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    os.environ["PROCEVENT_STORM"] = os.path.abspath(os.path.join(options.build, "tests", "bench", "storm"))
    return options


def main():
    options = parse_options()
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ours(int(series))) for series in options.series.split(",")]
        for name, binary, flag in PEERS:
            if shutil.which(binary):
                servers.append(stack.enter_context(peer(name, binary, flag)))
            else:
                print(f"{binary} is not installed: skipped", file=sys.stderr)
        storm = None
        for _ in range(options.scrapes):
            if storm is None or not storm.running():
                storm = stack.enter_context(harness.Storm("fork", 20000, workers=1))
            for server in servers:
                server.scrape()
        print("| exporter | series | CPU per scrape | CPU per 1000 series | resident | peak resident |")
        print("| --- " * 6 + "|")
        for server in servers:
            print(server.row())


if __name__ == "__main__":
    main()
