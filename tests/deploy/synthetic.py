"""Synthetic /metrics pages: of machines with every metric that rules and dashboards query, and of another job's target.
"""

import contextlib
import http.server
import pathlib
import re
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANY = 24  # machines and commands: more than a panel may show
SCRAPES_PER_POD = 6  # of a machine
NEWCOMER = {"comm": "newcomer", "code": "77", "signal": "SIGSYS"}  # rows that appear as 0, and grow once
LARGE = 10 ** 10
NOT_QUERIED = r"procevent_(?:credential_changes|ptrace|threads_ended)_total"
APPEARING = (
    'procevent_forks_total{comm="newcomer"}', 'procevent_execs_total{comm="newcomer"}',
    'procevent_threads_started_total{comm="newcomer"}', 'procevent_exits_total{comm="newcomer",outcome="failure"}',
    'procevent_coredumps_total{comm="newcomer"}', 'procevent_exits_without_exec_total{comm="newcomer"}',
    'procevent_exit_codes_total{comm="newcomer",code="77"}',
    'procevent_exit_signals_total{comm="newcomer",signal="SIGSYS"}')


def every_metric():
    """For each sample: the series without its last brace, the value, and whether it is a counter."""
    page = (ROOT / "tests" / "golden" / "filled_snapshot.txt").read_text(encoding="utf-8")
    page += 'procevent_exporter_build_info{version="1",compiler="g++"} 1\n'
    page = re.sub(r'(?m)^(.*\bcomm=)"bash"(.*)$', lambda match: "\n".join(
        f'{match[1]}"{number}"{match[2]}' for number in range(MANY)), page)
    counting = set(re.findall(r"^# TYPE (\S+) (?:counter|histogram)$", page, re.MULTILINE))
    return [(f"{name}{{{labels + ',' if labels else ''}", float(value),
             bool({name, re.sub(r"_(bucket|sum|count)$", "", name)} & counting))
            for name, labels, value in re.findall(rf"(?m)^(?!{NOT_QUERIED})([a-z_]+)(?:\{{(.*)\}})? (\S+)$", page)]


class Machine(http.server.BaseHTTPRequestHandler):
    """A machine with every metric. Counters grow with each scrape; the pod changes every SCRAPES_PER_POD scrapes."""

    scrapes = 0
    newcomer = False  # whether the rows of NEWCOMER exist
    zero_shown = set()  # ports of machines that have shown these rows as 0
    closed = set()  # ports of machines that are down
    samples = every_metric()

    def content(self):
        Machine.scrapes = scrapes = Machine.scrapes + 1
        pod = f'pod="{scrapes // MANY // SCRAPES_PER_POD}"}}'
        page = "".join([f"{series}{pod} {value * (1 + scrapes) if grows else value}\n"
                        for series, value, grows in self.samples])
        page += f"process_start_time_seconds{{{pod} {scrapes}\n"  # restarts before each scrape
        return page + (self.appearing() if Machine.newcomer else "")

    def appearing(self):
        """The rows of NEWCOMER. They have no pod, since a new one between the two values would hide the growth."""
        value = LARGE if self.server.server_port in self.zero_shown else 0
        self.zero_shown.add(self.server.server_port)
        return "".join(f"{name} {value}\n" for name in APPEARING)

    def do_GET(self):  # noqa: N802 (the library's name)
        content = self.content().encode()
        with contextlib.suppress(ConnectionError):  # the client timed out
            self.send_response(503 if self.server.server_port in self.closed else 200)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_):
        pass


class Foreign(Machine):
    """A target of another job, with large values of common metrics."""

    def content(self):
        Foreign.scrapes += 1
        return "".join(f"{name} {LARGE + Foreign.scrapes * LARGE}\n" for name in (
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds",
            "process_open_fds")) + "process_max_fds 1\n"


@contextlib.contextmanager
def served(page):
    """Serves the page and yields its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
