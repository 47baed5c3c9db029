#!/usr/bin/env python3
"""Measures the cost of a fleet: exporters that replay a capture in a loop, a Prometheus that scrapes them and
remote-writes to VictoriaMetrics, and a vmalert that evaluates the fleet rules there.

Measures the setups "Shards" and "Agents" of docs/fleet.md: a shard evaluates the recording rules and writes only their
results, an agent writes everything. Prints the figures, and in brackets extrapolations to 10 000 nodes. Memory is
extrapolated from the growth with the second half of the nodes, other figures by multiplication. The run is too short to
fill heads and windows of an hour. Nodes replay, so their figures exclude the kernel's queue. Needs a release build and
Debian's prometheus and victoria-metrics, but no privilege.
"""

import argparse
import contextlib
import dataclasses
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
from processes import cpu_ns, memory_mib, proportional_mib  # noqa: E402

FLEET = 10_000
READY_SECONDS = 30
RULES = ROOT / "deploy" / "prometheus"
RECORDED = ".+:procevent_.+|up|ALERTS"
JOB_SERIES = '{__name__=~"job.*:procevent_.*"}'


@dataclasses.dataclass(frozen=True)
class Setup:
    """Flags and rules of Prometheus, and the rules that vmalert evaluates on the storage."""
    name: str
    flags: tuple
    rules: tuple
    written: str
    ruler: tuple
    own: str  # prefix of Prometheus' own metrics
    series: str


SETUPS = (
    Setup("a shard", ("--storage.tsdb.path={home}/data",), ("recording.rules.yml", "alerts.rules.yml"), RECORDED,
          ("fleet.rules.yml",), "prometheus_tsdb_head", "prometheus_tsdb_head_series"),
    Setup("an agent", ("--enable-feature=agent", "--storage.agent.path={home}/data"), (), ".+",
          ("recording.rules.yml", "fleet.rules.yml"), "prometheus_agent", "prometheus_agent_active_series"),
)


def fetch(port, path, **arguments):
    query = f"?{urllib.parse.urlencode(arguments)}" if arguments else ""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}{query}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=harness.DEADLINE_SECONDS) as answer:
        body = answer.read()
        return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body, len(body)


def answers(port, path):
    with contextlib.suppress(OSError):
        return fetch(port, path)
    return None


class Server:
    """A server program with its own port and folder."""

    def __init__(self, folder, ready, command):
        self.port = harness.free_port()
        self._ready = ready
        self._folder = folder
        self._command = command(folder, self.port)
        self.process = None

    def __enter__(self):
        self._folder.mkdir()
        with open(self._folder / "log", "wb") as log:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with contextlib.ExitStack() as undo:
            undo.callback(self._end)
            harness.wait_for(f"{self._command[0]}, {self._folder}/log", self._is_ready, READY_SECONDS)
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self.process.terminate()
        try:
            self.process.wait(harness.DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self._command[0]} ended:\n{self.log()[-2000:]}")
        return answers(self.port, self._ready)

    def log(self):
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def own(self, name):
        """The sum of one of the server's own metrics."""
        text = fetch(self.port, "/metrics")[0].decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))


def start_nodes(options, folder, stack):
    replay = [f"--source.replay={options.capture}", "--source.replay-loop=true", "--log.level=error"]
    return [stack.enter_context(Server(folder / f"node{i}", "/-/healthy", lambda _, port: [
        harness.exporter_binary(), *replay, f"--web.listen-address=127.0.0.1:{port}"])) for i in range(options.nodes)]


class Servers:
    """The servers of a setup: the collector, the storage, and the ruler."""

    def __init__(self, setup, options, nodes, folder, stack):
        self.storage = stack.enter_context(Server(folder / "storage", "/health", lambda home, port: [
            "victoria-metrics", f"-storageDataPath={home}/data", f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=1d", "-loggerLevel=WARN", "-search.latencyOffset=5s"]))
        self._targets = folder / "nodes.json"
        self.scrape(nodes[:len(nodes) // 2])
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(self.config(setup, options)), encoding="utf-8")  # JSON is YAML
        self.collector = stack.enter_context(Server(folder / "prometheus", "/-/ready", lambda home, port: [
            "prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            *(flag.format(home=home) for flag in setup.flags)]))
        self.ruler = stack.enter_context(Server(folder / "ruler", "/health", lambda _, port: [
            "vmalert", *(f"-rule={RULES / name}" for name in setup.ruler), f"-httpListenAddr=127.0.0.1:{port}",
            f"-datasource.url=http://127.0.0.1:{self.storage.port}", "-loggerLevel=WARN",
            f"-remoteWrite.url=http://127.0.0.1:{self.storage.port}",
            "-notifier.url=http://127.0.0.1:9"]))  # required by vmalert, but its rules have no alerts

    def config(self, setup, options):
        written = [{"source_labels": ["__name__"], "regex": setup.written, "action": "keep"}]
        config = {"global": {"scrape_interval": options.interval},
                  "remote_write": [{"url": f"http://127.0.0.1:{self.storage.port}/api/v1/write",
                                    "write_relabel_configs": written}],
                  "scrape_configs": [{"job_name": "procevent", "file_sd_configs": [{"files": [str(self._targets)]}]}]}
        return {**config, "rule_files": [str(RULES / name) for name in setup.rules]} if setup.rules else config

    def scrape(self, nodes):
        targets = [{"targets": [f"127.0.0.1:{node.port}"], "labels": {"instance": f"node{i}"}}
                   for i, node in enumerate(nodes)]
        part = self._targets.with_suffix(".part")
        part.write_text(json.dumps(targets), encoding="utf-8")
        part.rename(self._targets)  # Prometheus watches it

    def wait_until_settled(self, options, count):
        harness.wait_for("all nodes in the storage", lambda: self.query("count(up == 1)") == count, 180)
        harness.wait_for("the fleet's rules", lambda: self.query("job:procevent_forks:rate5m") > 0, 300)
        time.sleep(options.settle)

    def memory(self):
        return {"collector": memory_mib(self.collector.pid, "VmRSS"), "storage": memory_mib(self.storage.pid, "VmRSS")}

    def query(self, expression):
        """Queries the storage. Its data has passed through all servers."""
        rows = json.loads(fetch(self.storage.port, "/api/v1/query", query=expression)[0])["data"]["result"]
        return float(rows[0]["value"][1]) if rows else 0.0

    def counters(self, setup, nodes):
        own = self.collector.own
        return {"time": time.monotonic(), "nodes": sum(cpu_ns(node.pid) / 1e9 for node in nodes),
                "collector": cpu_ns(self.collector.pid) / 1e9, "storage": cpu_ns(self.storage.pid) / 1e9,
                "ruler": cpu_ns(self.ruler.pid) / 1e9, "scraped": own(f"{setup.own}_samples_appended_total"),
                "written": own("prometheus_remote_storage_samples_total"),
                "bytes": own("prometheus_remote_storage_bytes_total"),
                "failed": own("prometheus_remote_storage_samples_failed_total")
                + own("prometheus_remote_storage_samples_dropped_total") * (setup.written == ".+"),
                "rules failed": own("prometheus_rule_evaluation_failures_total")
                + self.ruler.own("vmalert_execution_errors_total")}


def measure(setup, options, nodes, folder):
    """Rows of name, figure, unit, and the extrapolation to the fleet, or None if it does not grow."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        servers = Servers(setup, options, nodes, folder, stack)
        servers.wait_until_settled(options, len(nodes) // 2)
        half = servers.memory()
        servers.scrape(nodes)
        servers.wait_until_settled(options, len(nodes))
        before = servers.counters(setup, nodes)
        time.sleep(options.seconds)
        after = servers.counters(setup, nodes)
        if after["rules failed"]:
            print(f"{setup.name}: rules failed:\n{servers.collector.log()}{servers.ruler.log()}", file=sys.stderr)
        return [*node_rows(nodes, before, after), *server_rows(setup, servers, len(nodes), before, after, half)]


def node_rows(nodes, before, after):
    page, packed = fetch(nodes[0].port, "/metrics")
    cpu = (after["nodes"] - before["nodes"]) / (after["time"] - before["time"]) / len(nodes)
    yield "node: series", sum(line[:1] not in "#" for line in page.decode().splitlines()), "", None
    yield "node: page size, plain and gzip", len(page) / 1024, f"KiB, {packed / 1024:.1f} KiB", None
    yield "node: CPU for replay and scrapes", cpu * 1e3, "ms/s", None
    yield ("node: resident and proportional memory",
           sum(memory_mib(node.pid, "VmRSS") for node in nodes) / len(nodes),
           f"MiB, {sum(proportional_mib(node.pid) for node in nodes) / len(nodes):.1f} MiB", None)


def server_rows(setup, servers, count, before, after, half):
    rate = {name: (after[name] - before[name]) / (after["time"] - before["time"]) for name in before}
    memory = servers.memory()

    def extrapolated(what, figure, unit=""):
        return what, figure, unit, figure * FLEET / count

    def extrapolated_memory(what, server):
        added = (memory[server] - half[server]) / (count - count // 2)
        return what, memory[server], "MiB", memory[server] + added * (FLEET - count)

    yield extrapolated("Prometheus: series in memory", servers.collector.own(setup.series))
    yield extrapolated("Prometheus: samples", rate["scraped"], "/s")
    yield extrapolated("Prometheus: CPU", rate["collector"], "cores")
    yield extrapolated_memory("Prometheus: resident memory", "collector")
    yield extrapolated("remote write: samples", rate["written"], "/s")
    yield extrapolated("remote write: bytes", rate["bytes"] / 1e3, "kB/s")
    yield extrapolated("VictoriaMetrics: CPU", rate["storage"], "cores")
    yield extrapolated_memory("VictoriaMetrics: resident memory", "storage")
    yield extrapolated("vmalert: CPU", rate["ruler"], "cores")
    yield "fleet series, `job.*:procevent_.*`", servers.query(f"count({JOB_SERIES})"), "", None
    yield "samples lost", after["failed"], "", None
    yield "failed rule evaluations", after["rules failed"], "", None


def print_report(options, tables):
    print(f"{options.nodes} nodes, scraped every {options.interval}, {options.seconds} s; "
          f"in brackets: extrapolated to {format_figure(FLEET)} nodes\n")
    print("| | " + " | ".join(setup.name for setup in SETUPS) + " |")
    print("| --- " * (1 + len(SETUPS)) + "|")
    for rows in zip(*tables):
        print(f"| {rows[0][0]} | " + " | ".join(cell(*row[1:]) for row in rows) + " |")


def cell(figure, unit, fleet):
    found = f"{format_figure(figure)} {unit}".strip()
    return found if fleet is None else f"{found} ({format_figure(fleet)})"


def format_figure(figure):
    return f"{figure:.3g}" if figure < 1000 else f"{figure:,.0f}".replace(",", " ")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of a release build")
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--interval", default="30s", help="scrape interval")
    parser.add_argument("--seconds", type=int, default=240, help="duration of each measurement")
    parser.add_argument("--settle", type=int, default=90, help="seconds to settle after the first data")
    parser.add_argument("--capture", default=str(ROOT / "deploy" / "demo" / "demo.pcap"))
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    return options


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="procevent-fleet-") as folder, contextlib.ExitStack() as stack:
        nodes = start_nodes(options, pathlib.Path(folder), stack)
        tables = [list(measure(setup, options, nodes, pathlib.Path(folder, setup.own))) for setup in SETUPS]
        print_report(options, tables)


if __name__ == "__main__":
    main()
