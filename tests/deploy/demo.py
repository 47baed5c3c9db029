"""Exporters that replay the demo as different machines, and a real Prometheus that scrapes them each second."""

import contextlib
import json
import pathlib
import struct
import tempfile

import harness
import prometheus
import scraper
import short_windows

DEMO = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy" / "demo" / "demo.pcap"
STORM = 14  # the second of the capture before its fork storm


def truncate(capture, seconds):
    """The first seconds of a pcap capture."""
    end = 24  # bytes of pcap's header
    first = None
    while end < len(capture):
        whole, parts, length = struct.unpack_from("<III", capture, end)
        time = whole + parts / 1e9
        first = time if first is None else first
        if time - first > seconds:
            break
        end += 16 + length
    return capture[:end]


def replay(capture, speed=1, *flags):
    return harness.Exporter(f"--source.replay={capture}", "--source.replay-loop=true",
                            f"--source.replay-speed={speed}", *flags)


class Machines:
    """Three machines without storms, and `server`, which scrapes them. begin_storms() starts storms on the first."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self.server = None

    def __enter__(self):
        with self._stack as stack:
            calm = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="procevent-demo-")), "calm.pcap")
            calm.write_bytes(truncate(DEMO.read_bytes(), STORM))
            started = {name: stack.enter_context(replay(calm, speed)).wait_ready()
                       for name, speed in (("build-1", 1), ("web-1", 1), ("web-2", 2))}
            self._first = started["build-1"]
            ports = {name: exporter.port for name, exporter in started.items()}
            self.server = stack.enter_context(scraped(ports)).wait_scraping()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        return self._stack.__exit__(*failure)

    def begin_storms(self):
        """Replaces the first machine's capture by the whole demo, which has a storm every 35 s."""
        self._first.stop()
        self._stack.enter_context(replay(DEMO, 1, f"--web.listen-address=127.0.0.1:{self._first.port}"))


def scraped(ports, **foreign):
    """A Prometheus with shortened recording rules. It scrapes `ports` by instance name, and other jobs (`foreign`)."""

    def command(directory, config, port):
        content = json.loads(pathlib.Path(config).read_text(encoding="utf-8"))
        content["rule_files"] = short_windows.write_to(directory)
        (ours,) = content["scrape_configs"]
        content["scrape_configs"] = [
            {**ours, "job_name": job, "static_configs": [
                {"targets": [f"127.0.0.1:{target}"], "labels": {"instance": name}} for name, target in targets.items()]}
            for job, targets in {ours["job_name"]: ports, **foreign}.items()]
        pathlib.Path(config).write_text(json.dumps(content), encoding="utf-8")
        return prometheus.command(directory, config, port)

    return scraper.Scraper("Prometheus", command, None)
