#!/usr/bin/env python3
"""What a fleet costs: many exporters that replay a capture, one Prometheus that scrapes them all, evaluates the rules
of deploy/prometheus and remote-writes into a VictoriaMetrics. Prints what a node costs itself
and the servers, and what that makes of 10 000 nodes: by multiplication, and for the servers' memory and CPU that is all
it is. Judges nothing. Needs a release build, and Debian's prometheus and victoria-metrics; no privilege.
"""

import argparse
import contextlib
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402

FLEET = 10_000
RULES = ROOT / "deploy" / "prometheus"


def status(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE).group(1))


def proportional_kib(pid):
    """Memory with what is shared divided by its sharers: the binary and libraries are one for all on this machine."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE).group(1))


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)


def fetch(port, path, **arguments):
    query = f"?{urllib.parse.urlencode(arguments)}" if arguments else ""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}{query}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=harness.DEADLINE_SECONDS) as answer:
        body = answer.read()
        return body if answer.headers.get("Content-Encoding") != "gzip" else gzip.decompress(body), len(body)


def answers(port, path):
    with contextlib.suppress(OSError):
        return fetch(port, path)
    return None


class Server:
    """A program that serves on a port of its own, in a folder of its own."""

    def __init__(self, folder, ready, command):
        self.port = harness.free_port()
        self._ready = ready
        folder.mkdir()
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(command(folder, self.port), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def __enter__(self):
        harness.wait_for(self.process.args[0], lambda: answers(self.port, self._ready))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(harness.DEADLINE_SECONDS)

    @property
    def pid(self):
        return self.process.pid


def prometheus_config(ports, storage, interval):
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": f"node{i}"}} for i, port in enumerate(ports)]
    return {"global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(path) for path in sorted(RULES.glob("*.rules.yml"))],
            "remote_write": [{"url": f"http://127.0.0.1:{storage}/api/v1/write"}],
            "scrape_configs": [{"job_name": "procevent", "static_configs": targets}]}


class Fleet:
    def __init__(self, options, folder, stack):
        self._options = options
        replay = [f"--source.replay={options.capture}", "--source.replay-loop=true", "--log.level=error"]
        self.nodes = []
        for i in range(options.nodes):
            self.nodes.append(stack.enter_context(Server(folder / f"node{i}", "/-/healthy", lambda _, port: [
                harness.exporter_binary(), *replay, f"--web.listen-address=127.0.0.1:{port}"])))
        self.storage = stack.enter_context(Server(folder / "storage", "/health", lambda home, port: [
            "victoria-metrics", f"-storageDataPath={home}/data", f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=1d", "-loggerLevel=WARN"]))
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(prometheus_config([node.port for node in self.nodes], self.storage.port,
                                                       options.interval)), encoding="utf-8")  # JSON is YAML
        self.prometheus = stack.enter_context(Server(folder / "prometheus", "/-/ready", lambda home, port: [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={home}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]))

    def ask(self, expression):
        body, _ = fetch(self.prometheus.port, "/api/v1/query", query=expression)
        rows = json.loads(body)["data"]["result"]
        return float(rows[0]["value"][1]) if rows else 0.0

    def all_up(self):
        return self.ask("count(up == 1)") == self._options.nodes

    def own(self, server, name):
        """The sum of a metric of a server's own."""
        text = fetch(server.port, "/metrics")[0].decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))

    def slowest_rules(self):
        groups = json.loads(fetch(self.prometheus.port, "/api/v1/rules")[0])["data"]["groups"]
        return max((group["evaluationTime"] for group in groups), default=0)

    def counters(self):
        return {"time": time.monotonic(), "nodes": sum(cpu_seconds(node.pid) for node in self.nodes),
                "prometheus": cpu_seconds(self.prometheus.pid), "storage": cpu_seconds(self.storage.pid),
                "samples": self.own(self.prometheus, "prometheus_tsdb_head_samples_appended_total"),
                "sent": self.own(self.prometheus, "prometheus_remote_storage_samples_total"),
                "sent bytes": self.own(self.prometheus, "prometheus_remote_storage_bytes_total"),
                "failed": self.own(self.prometheus, "prometheus_remote_storage_samples_failed_total")}


def tell(options, fleet, before, after):
    seconds = after["time"] - before["time"]
    rate = {name: (after[name] - before[name]) / seconds for name in before if name != "time"}
    nodes = options.nodes
    page = fleet.own(fleet.prometheus, "prometheus_tsdb_head_series") / nodes
    scraped = fleet.ask("avg(scrape_samples_post_metric_relabeling)")
    body, packed = fetch(fleet.nodes[0].port, "/metrics")
    rows = (
        ("a node: series scraped", f"{scraped:.0f}", f"{scraped * FLEET / 1e6:.1f} million"),
        ("a node: bytes of a page, packed", f"{len(body)}, {packed}", ""),
        ("a node: CPU", f"{rate['nodes'] / nodes * 1e3:.2f} ms/s",
         f"{rate['nodes'] / nodes * FLEET:.0f} cores, spread"),
        ("a node: memory (Pss here; Rss)",
         f"{sum(proportional_kib(node.pid) for node in fleet.nodes) / nodes / 1024:.1f}; "
         f"{sum(status(node.pid, 'VmRSS') for node in fleet.nodes) / nodes / 1024:.1f} MiB", ""),
        ("Prometheus: series a node, with the rules'", f"{page:.0f}", f"{page * FLEET / 1e6:.1f} million"),
        ("Prometheus: samples", f"{rate['samples']:.0f}/s", f"{rate['samples'] / nodes * FLEET / 1e3:.0f} thousand/s"),
        ("Prometheus: CPU",
         f"{rate['prometheus'] * 1e3:.0f} ms/s", f"{rate['prometheus'] / nodes * FLEET:.1f} cores"),
        ("Prometheus: memory", f"{status(fleet.prometheus.pid, 'VmRSS') / 1024:.0f} MiB",
         f"{status(fleet.prometheus.pid, 'VmRSS') / 1024 / 1024 / nodes * FLEET:.0f} GiB"),
        ("remote write", f"{rate['sent']:.0f} samples/s, {rate['sent bytes'] / 1024:.0f} KiB/s",
         f"{rate['sent bytes'] / nodes * FLEET / 1e6:.1f} MB/s"),
        ("VictoriaMetrics: CPU", f"{rate['storage'] * 1e3:.0f} ms/s", f"{rate['storage'] / nodes * FLEET:.1f} cores"),
        ("VictoriaMetrics: memory", f"{status(fleet.storage.pid, 'VmRSS') / 1024:.0f} MiB",
         f"{status(fleet.storage.pid, 'VmRSS') / 1024 / 1024 / nodes * FLEET:.0f} GiB"),
    )
    print(f"| {nodes} nodes, every {options.interval}, {seconds:.0f} s | measured | x {FLEET // nodes} |")
    print("| --- " * 3 + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(f"\nsamples that could not be written: {after['failed'] - before['failed']:.0f}; "
          f"slowest scrape: {fleet.ask('max(scrape_duration_seconds)') * 1e3:.0f} ms; "
          f"rules that failed: {fleet.own(fleet.prometheus, 'prometheus_rule_evaluation_failures_total'):.0f}; "
          f"slowest group of rules: {fleet.slowest_rules() * 1e3:.0f} ms")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the build directory, of a release build")
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--interval", default="15s", help="between scrapes, and between evaluations")
    parser.add_argument("--seconds", type=int, default=150, help="how long is measured, when all are scraped")
    parser.add_argument("--capture", default=str(ROOT / "deploy" / "demo" / "demo.pcap"))
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    return options


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="procevent-fleet-") as folder, contextlib.ExitStack() as stack:
        fleet = Fleet(options, pathlib.Path(folder), stack)
        harness.wait_for("all nodes to be scraped", fleet.all_up, 120)
        time.sleep(30)  # the first scrapes make the series; those that follow are the cost
        before = fleet.counters()
        time.sleep(options.seconds)
        tell(options, fleet, before, fleet.counters())


if __name__ == "__main__":
    main()
