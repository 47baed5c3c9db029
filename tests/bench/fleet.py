#!/usr/bin/env python3
"""What a fleet costs: many exporters that replay a capture again and again; a Prometheus that scrapes them all and
remote-writes into a VictoriaMetrics; a vmalert that evaluates the fleet's rules there. In the two ways that README.md
describes, "Fleets": a shard, which records itself and writes that alone, and an agent, which writes everything.

Prints what was measured, and in brackets what that makes of 10 000 nodes: figures by multiplication; memory by what the
second half of the nodes added, a node, to what a server takes anyhow. It leaves out what only hours would show: heads
and windows of an hour that are full. A node's own figures leave out the kernel's queue: it replays. Needs a release
build and Debian's prometheus and victoria-metrics; no privilege.
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
class Way:
    """What one of Prometheus does in it, and what is left to the ruler beside the storage."""
    name: str
    flags: tuple
    rules: tuple
    written: str
    ruler: tuple
    own: str  # what the names of its own metrics begin with
    series: str


WAYS = (
    Way("a shard", ("--storage.tsdb.path={home}/data",), ("recording.rules.yml", "alerts.rules.yml"), RECORDED,
        ("fleet.rules.yml",), "prometheus_tsdb_head", "prometheus_tsdb_head_series"),
    Way("an agent", ("--enable-feature=agent", "--storage.agent.path={home}/data"), (), ".+",
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
    """A program that serves on a port of its own, in a folder of its own."""

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
        """The sum of a metric of its own."""
        text = fetch(self.port, "/metrics")[0].decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))


def start_nodes(options, folder, stack):
    replay = [f"--source.replay={options.capture}", "--source.replay-loop=true", "--log.level=error"]
    return [stack.enter_context(Server(folder / f"node{i}", "/-/healthy", lambda _, port: [
        harness.exporter_binary(), *replay, f"--web.listen-address=127.0.0.1:{port}"])) for i in range(options.nodes)]


class Servers:
    """Those that a way takes: the collector, the storage, and the ruler beside it."""

    def __init__(self, way, options, nodes, folder, stack):
        self.storage = stack.enter_context(Server(folder / "storage", "/health", lambda home, port: [
            "victoria-metrics", f"-storageDataPath={home}/data", f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=1d", "-loggerLevel=WARN", "-search.latencyOffset=5s"]))
        self._targets = folder / "nodes.json"
        self.scrape(nodes[:len(nodes) // 2])
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(self.config(way, options)), encoding="utf-8")  # JSON is YAML
        self.collector = stack.enter_context(Server(folder / "prometheus", "/-/ready", lambda home, port: [
            "prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            *(flag.format(home=home) for flag in way.flags)]))
        self.ruler = stack.enter_context(Server(folder / "ruler", "/health", lambda _, port: [
            "vmalert", *(f"-rule={RULES / name}" for name in way.ruler), f"-httpListenAddr=127.0.0.1:{port}",
            f"-datasource.url=http://127.0.0.1:{self.storage.port}", "-loggerLevel=WARN",
            f"-remoteWrite.url=http://127.0.0.1:{self.storage.port}",
            "-notifier.url=http://127.0.0.1:9"]))  # vmalert asks for one; no alert is among its rules

    def config(self, way, options):
        written = [{"source_labels": ["__name__"], "regex": way.written, "action": "keep"}]
        config = {"global": {"scrape_interval": options.interval},
                  "remote_write": [{"url": f"http://127.0.0.1:{self.storage.port}/api/v1/write",
                                    "write_relabel_configs": written}],
                  "scrape_configs": [{"job_name": "procevent", "file_sd_configs": [{"files": [str(self._targets)]}]}]}
        return {**config, "rule_files": [str(RULES / name) for name in way.rules]} if way.rules else config

    def scrape(self, nodes):
        targets = [{"targets": [f"127.0.0.1:{node.port}"], "labels": {"instance": f"node{i}"}}
                   for i, node in enumerate(nodes)]
        part = self._targets.with_suffix(".part")
        part.write_text(json.dumps(targets), encoding="utf-8")
        part.rename(self._targets)  # Prometheus watches it

    def wait_until_settled(self, options, count):
        harness.wait_for("all nodes in the storage", lambda: self.ask("count(up == 1)") == count, 180)
        harness.wait_for("the fleet's rules", lambda: self.ask("job:procevent_forks:rate5m") > 0, 300)
        time.sleep(options.settle)

    def memory(self):
        return {"collector": memory_mib(self.collector.pid, "VmRSS"), "storage": memory_mib(self.storage.pid, "VmRSS")}

    def ask(self, expression):
        """Of the storage: what it answers has come all the way."""
        rows = json.loads(fetch(self.storage.port, "/api/v1/query", query=expression)[0])["data"]["result"]
        return float(rows[0]["value"][1]) if rows else 0.0

    def counters(self, way, nodes):
        own = self.collector.own
        return {"time": time.monotonic(), "nodes": sum(cpu_ns(node.pid) / 1e9 for node in nodes),
                "collector": cpu_ns(self.collector.pid) / 1e9, "storage": cpu_ns(self.storage.pid) / 1e9,
                "ruler": cpu_ns(self.ruler.pid) / 1e9, "scraped": own(f"{way.own}_samples_appended_total"),
                "written": own("prometheus_remote_storage_samples_total"),
                "bytes": own("prometheus_remote_storage_bytes_total"),
                "failed": own("prometheus_remote_storage_samples_failed_total")
                + own("prometheus_remote_storage_samples_dropped_total") * (way.written == ".+"),
                "rules failed": own("prometheus_rule_evaluation_failures_total")
                + self.ruler.own("vmalert_execution_errors_total")}


def measured(way, options, nodes, folder):
    """Rows: what, the figure, its unit, and what it is of the fleet, if it grows with it."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        servers = Servers(way, options, nodes, folder, stack)
        servers.wait_until_settled(options, len(nodes) // 2)
        half = servers.memory()
        servers.scrape(nodes)
        servers.wait_until_settled(options, len(nodes))
        before = servers.counters(way, nodes)
        time.sleep(options.seconds)
        after = servers.counters(way, nodes)
        if after["rules failed"]:
            print(f"{way.name}: rules failed:\n{servers.collector.log()}{servers.ruler.log()}", file=sys.stderr)
        return [*of_a_node(nodes, before, after), *of_servers(way, servers, len(nodes), before, after, half)]


def of_a_node(nodes, before, after):
    page, packed = fetch(nodes[0].port, "/metrics")
    cpu = (after["nodes"] - before["nodes"]) / (after["time"] - before["time"]) / len(nodes)
    yield "a node: series scraped", sum(line[:1] not in "#" for line in page.decode().splitlines()), "", None
    yield "a node: a page, and as gzip", len(page) / 1024, f"KiB, {packed / 1024:.1f} KiB", None
    yield "a node: CPU of replaying and being scraped", cpu * 1e3, "ms/s", None
    yield ("a node: resident memory, and without what others share",
           sum(memory_mib(node.pid, "VmRSS") for node in nodes) / len(nodes),
           f"MiB, {sum(proportional_mib(node.pid) for node in nodes) / len(nodes):.1f} MiB", None)


def of_servers(way, servers, count, before, after, half):
    rate = {name: (after[name] - before[name]) / (after["time"] - before["time"]) for name in before}
    memory = servers.memory()

    def grows(what, figure, unit=""):
        return what, figure, unit, figure * FLEET / count

    def grows_from(what, server):
        added = (memory[server] - half[server]) / (count - count // 2)
        return what, memory[server], "MiB", memory[server] + added * (FLEET - count)

    yield grows("Prometheus: series in memory", servers.collector.own(way.series))
    yield grows("Prometheus: samples", rate["scraped"], "/s")
    yield grows("Prometheus: CPU", rate["collector"], "cores")
    yield grows_from("Prometheus: resident memory", "collector")
    yield grows("remote write: samples", rate["written"], "/s")
    yield grows("remote write: bytes", rate["bytes"] / 1e3, "kB/s")
    yield grows("VictoriaMetrics: CPU", rate["storage"], "cores")
    yield grows_from("VictoriaMetrics: resident memory", "storage")
    yield grows("vmalert: CPU", rate["ruler"], "cores")
    yield "series of the fleet, `job.*:procevent_.*`", servers.ask(f"count({JOB_SERIES})"), "", None
    yield "samples not written", after["failed"], "", None
    yield "evaluations of rules that failed", after["rules failed"], "", None


def tell(options, tables):
    print(f"{options.nodes} nodes, scraped every {options.interval}, {options.seconds} s; "
          f"in brackets: of {brief(FLEET)} nodes\n")
    print("| | " + " | ".join(way.name for way in WAYS) + " |")
    print("| --- " * (1 + len(WAYS)) + "|")
    for rows in zip(*tables):
        print(f"| {rows[0][0]} | " + " | ".join(cell(*row[1:]) for row in rows) + " |")


def cell(figure, unit, fleet):
    found = f"{brief(figure)} {unit}".strip()
    return found if fleet is None else f"{found} ({brief(fleet)})"


def brief(figure):
    return f"{figure:.3g}" if figure < 1000 else f"{figure:,.0f}".replace(",", " ")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the build directory, of a release build")
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--interval", default="30s", help="between scrapes")
    parser.add_argument("--seconds", type=int, default=240, help="how long each way is measured")
    parser.add_argument("--settle", type=int, default=90, help="seconds before, when all has come once")
    parser.add_argument("--capture", default=str(ROOT / "deploy" / "demo" / "demo.pcap"))
    options = parser.parse_args()
    os.environ["PROCEVENT_EXPORTER_BINARY"] = os.path.abspath(os.path.join(options.build, "procevent_exporter"))
    return options


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="procevent-fleet-") as folder, contextlib.ExitStack() as stack:
        nodes = start_nodes(options, pathlib.Path(folder), stack)
        tables = [list(measured(way, options, nodes, pathlib.Path(folder, way.own))) for way in WAYS]
        tell(options, tables)


if __name__ == "__main__":
    main()
