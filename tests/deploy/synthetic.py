"""Pages that nobody counted: of machines that serve every metric that rules or dashboards ask for, and do everything;
and of a machine of another job."""

import contextlib
import http.server
import pathlib
import re
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANY = 24  # machines, commands and statuses: more than a panel may show
SAME_POD = 6  # scrapes of a machine
NEWCOMER = {"comm": "newcomer", "code": "77"}  # rows that appear with a great count, which stays
GREAT = 10 ** 10
UNASKED = r"procevent_(?:credential_changes|ptrace|threads_started|threads_ended)_total"
APPEARING = "".join(f"{name} {GREAT}\n" for name in (
    'procevent_forks_total{comm="newcomer"}', 'procevent_execs_total{comm="newcomer"}',
    'procevent_exits_total{comm="newcomer",outcome="failure"}', 'procevent_coredumps_total{comm="newcomer"}',
    'procevent_unexeced_exits_total{comm="newcomer"}', 'procevent_exit_statuses_total{code="77"}'))


def every_metric():
    """Of each sample what is before its value, without the last brace; the value; and whether it counts something."""
    page = (ROOT / "tests" / "golden" / "filled_snapshot.txt").read_text(encoding="utf-8")
    page += 'procevent_build_info{version="1",compiler="g++"} 1\n'
    for label, value in (("comm", "bash"), ("code", "250")):
        page = re.sub(rf'(?m)^(.*\b{label}=)"{value}"(.*)$', lambda match: "\n".join(
            f'{match[1]}"{number}"{match[2]}' for number in range(MANY)), page)
    counting = set(re.findall(r"^# TYPE (\S+) (?:counter|histogram)$", page, re.MULTILINE))
    return [(f"{name}{{{labels + ',' if labels else ''}", float(value),
             bool({name, re.sub(r"_(bucket|sum|count)$", "", name)} & counting))
            for name, labels, value in re.findall(rf"(?m)^(?!{UNASKED})([a-z_]+)(?:\{{(.*)\}})? (\S+)$", page)]


class Machine(http.server.BaseHTTPRequestHandler):
    """One of those. What counts, grows with each scrape; its pod is another one now and then."""

    asked = 0
    begun = False  # whether the newcomer is there
    closed = set()  # ports of those that are down
    samples = every_metric()

    def content(self):
        Machine.asked = asked = Machine.asked + 1
        pod = f'pod="{asked // MANY // SAME_POD}"}}'
        page = "".join([f"{series}{pod} {value * (1 + asked) if grows else value}\n"
                        for series, value, grows in self.samples])
        page += f"process_start_time_seconds{{{pod} {asked}\n"  # as if it were started again and again
        return page + (APPEARING.replace("}", f",{pod}") if Machine.begun else "")

    def do_GET(self):  # noqa: N802 (the library's name)
        content = self.content().encode()
        with contextlib.suppress(ConnectionError):  # whose patience ended before
            self.send_response(503 if self.server.server_port in self.closed else 200)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_):
        pass


class Foreign(Machine):
    """Of another job: what many a program serves, and much of it."""

    def content(self):
        Foreign.asked += 1
        return "".join(f"{name} {GREAT + Foreign.asked * GREAT}\n" for name in (
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds",
            "process_open_fds")) + "process_max_fds 1\n"


@contextlib.contextmanager
def served(page):
    """The port that serves it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
