#!/usr/bin/env python3
"""Grafana's dashboards: made of their source, well-formed, and every expression answered by a real Prometheus.

That scrapes the exporter while it replays the demo's machine and its fork storm. What a replay leaves out (LIVE_ONLY)
is asked of one that scrapes a page with every metric, as that of many machines with many commands: no panel may show
more for it.
"""

import contextlib
import copy
import http.server
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import catalogue  # noqa: E402
import dashboard_lint  # noqa: E402
import demo  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import prometheus  # noqa: E402
import promql  # noqa: E402
import scraper  # noqa: E402

SPEED = 4  # the demo's half a minute, storm and all, in eight seconds
SECONDS = 12  # of scrapes
MANY = 24  # machines, commands and statuses: more than a panel may show
MOST = 20  # lines or rows
EVERY_METRIC = grafana.ROOT / "tests" / "golden" / "filled_snapshot.txt"

# Panels that find nothing in a replay, because a capture does not hold it.
LIVE_ONLY = {
    "Blind time": "a replay has no listener that could fail",
    "Audit against /proc/stat": "the kernel of a replay counts other forks",
    "Listener restarts": "a replay has no listener that could fail",
    "Forks unseen": "the kernel of a replay counts other forks",
    "Receive queue, how full": "a replay has no socket",
    "Socket drops": "a replay has no socket",
}


class Source(unittest.TestCase):
    def test_the_files_are_what_the_source_makes(self):
        build = [sys.executable, "-B", str(grafana.FOLDER / "build_dashboards.py")]
        if os.environ.get("PROCEVENT_REFRESH_GOLDEN") == "1":
            subprocess.run(build, check=True, timeout=harness.DEADLINE_SECONDS)
        before = {file.name: file.read_bytes() for file in grafana.files()}
        with tempfile.TemporaryDirectory(prefix="procevent-dashboards-") as folder:
            subprocess.run([*build, folder], check=True, timeout=harness.DEADLINE_SECONDS)
            made = {file.name: file.read_bytes() for file in pathlib.Path(folder).iterdir()}
        self.assertEqual(set(before), set(made))
        for name, content in made.items():
            self.assertEqual(content.decode(), before[name].decode(),
                             f"{name} is not what its source makes: PROCEVENT_REFRESH_GOLDEN=1 writes it anew")

    def test_nothing_of_node_is_beside_them(self):
        self.assertEqual([path.name for path in grafana.FOLDER.rglob("*") if path.name.startswith(("package", "node"))],
                         [])

    def test_no_lock_names_a_registry(self):
        locks = sorted(HERE.glob("*/package-lock.json"))
        self.assertGreater(len(locks), 0)
        for lock in locks:
            text = lock.read_text(encoding="utf-8")
            self.assertEqual([word for word in ("://", '"resolved"') if word in text], [], lock)


# --- Lint ---

def targets(board):
    return [target for panel in board["panels"] for target in panel.get("targets", [])]


def panel(board, kind):
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def variable(board, name):
    return next(one for one in board["templating"]["list"] if one["name"] == name)


def replaced(pattern, by):
    """Breaks the first expression that has it."""

    def breaks(board):
        for target in targets(board):
            if re.search(pattern, target["expr"]):
                target["expr"] = re.sub(pattern, by, target["expr"], count=1)
                return
        raise AssertionError(f"no expression has {pattern}")

    return breaks


def put(find, **values):
    return lambda board: find(board).update(values)


def stacked(board):
    first, second = [panel for panel in board["panels"] if panel["type"] == "stat"][:2]
    second["gridPos"] = first["gridPos"]


def graph(board):
    return panel(board, "timeseries")


# Which rule finds it, what is broken, and how.
BROKEN = (
    ("stable-uid", "no uid", lambda board: board.pop("uid")),
    ("stable-uid", "a long one", put(lambda board: board, uid="x" * 41)),
    ("uneditable-dashboard", "editable", put(lambda board: board, editable=True)),
    ("linked-dashboards", "no links", put(lambda board: board, links=[])),
    ("template-datasource-rule", "another name", put(lambda board: variable(board, "datasource"), name="source")),
    ("template-datasource-rule", "two of them",
     lambda board: board["templating"]["list"].append(variable(board, "datasource"))),
    ("template-job-instance-rule", "no job", lambda board: board["templating"]["list"].remove(variable(board, "job"))),
    ("template-job-instance-rule", "one job only", put(lambda board: variable(board, "job"), multi=False)),
    ("template-job-instance-rule", "all is another", put(lambda board: variable(board, "instance"), allValue=".*")),
    ("template-on-time-change-reload-rule", "at the start", put(lambda board: variable(board, "job"), refresh=1)),
    ("template-label-promql-rule", "no such metric",
     lambda board: variable(board, "job")["query"].update(query="label_values(procevent_buildinfo, job)")),
    ("panel-datasource-rule", "a fixed one", put(graph, datasource={"type": "prometheus", "uid": "mine"})),
    ("panel-datasource-rule", "of a target", lambda board: targets(board)[0].pop("datasource")),
    ("panel-title-description-rule", "no title", put(graph, title="")),
    ("panel-title-description-rule", "no description", lambda board: graph(board).pop("description")),
    ("panel-units-rule", "no unit", lambda board: graph(board)["fieldConfig"]["defaults"].pop("unit")),
    ("panel-units-rule", "no such unit", lambda board: graph(board)["fieldConfig"]["defaults"].update(unit="forks")),
    ("panel-no-targets-rule", "no targets", put(graph, targets=[])),
    ("panel-no-targets-rule", "one letter twice",
     lambda board: graph(board)["targets"].append(graph(board)["targets"][0])),
    ("grid", "one on another", stacked),
    ("grid", "too wide", lambda board: graph(board)["gridPos"].update(w=25)),
    ("grid", "one id twice", lambda board: board["panels"][1].update(id=1)),
    ("target-job-instance-rule", "no job", replaced(r'job=~"\$job", ', "")),
    ("target-job-instance-rule", "one instance", replaced(r'instance=~"\$instance"', 'instance="$instance"')),
    ("target-rate-interval-rule", "five minutes", replaced(r"\$__rate_interval", "5m")),
    ("target-rate-interval-rule", "a rate over all", replaced(r"(rate\([^[]*)\[\$__rate_interval\]", r"\1[$__range]")),
    ("target-counter-agg-rule", "raw", replaced(r"rate\(([^[]*)\[\$__rate_interval\]\)", r"(\1)")),
    ("target-counter-agg-rule", "its average", replaced(r"increase\(", "avg_over_time(")),
    ("target-histogram-rule", "buckets", replaced(r"histogram_quantile\([^,]*,", "abs(")),
    ("target-metric", "no such metric", replaced(r"procevent_\w+_total\{", "procevent_spawns_total{")),
    ("target-metric", "a recording rule", replaced(r"procevent_\w+_total\{", "job:procevent_forks_total{")),
    ("target-label", "no such label", replaced(r'outcome!="success"', 'result!="success"')),
    ("target-label", "grouped by none", replaced(r"sum by \(code\)", "sum by (le, code)")),
    ("target-legend", "none", lambda board: graph(board)["targets"][0].update(legendFormat="__auto")),
    ("target-legend", "of no label", lambda board: graph(board)["targets"][0].update(legendFormat="{{cpu}}")),
    ("target-bounded", "every command", replaced(r" and topk\(10, sum by \(comm\).*", "")),
    ("target-bounded", "a top at each moment", replaced(r" @ end\(\)", "")),
    ("target-bounded", "a row for each command", replaced(r"topk\(15, (sum by \(comm\).*)\)$", r"\1")),
    ("target-bounded", "every machine", replaced(r"^sum\((procevent_processes.*)\)$", r"\1")),
)


class Lint(unittest.TestCase):
    def test_no_fault_is_found(self):
        self.assertEqual(len(grafana.files()), 2)
        for file in grafana.files():
            with self.subTest(file.name):
                self.assertEqual(dashboard_lint.lint(grafana.board(file)), [])

    def test_each_rule_finds_what_it_is_for(self):
        sound = grafana.board(grafana.FOLDER / "dashboards" / "fork-storms.json")
        self.assertEqual({rule for rule, _, _ in BROKEN}, set(dashboard_lint.RULES))
        for rule, name, breaks in BROKEN:
            with self.subTest(rule=rule, broken=name):
                board = copy.deepcopy(sound)
                breaks(board)
                self.assertEqual({found for found, _ in dashboard_lint.lint(board)}, {rule})

    def test_expressions_are_taken_apart(self):
        text = 'topk(3, sum by (a, b) (rate(x{job=~"$job", c!="}("}[5m] @ end()))) and on (d) f(y, "z", "") / 2e3 > 1'
        self.assertEqual(promql.selectors(text), [
            promql.Selector("x", [("job", "=~", '"$job"'), ("c", "!=", '"}("')], "5m", "rate"),
            promql.Selector("y", [], None, "f")])
        self.assertEqual(promql.grouped_by(text), {"a", "b", "d"})
        self.assertEqual(promql.without_totals('1 - sum(a{x="("}) / (sum by (b) (c) > max(d))'),
                         "1 - 1 / (sum by (b) (c) > 1)")

    def test_the_catalogue_is_all_there(self):
        found = catalogue.catalogue()
        self.assertGreater(len(found), 50)
        self.assertEqual(found["procevent_exits_total"], ("Counter", {"comm", "outcome"}))
        self.assertEqual(found["procevent_event_delay_seconds_bucket"], ("Counter", {"le"}))


# --- A real Prometheus ---

class EveryMetric(http.server.BaseHTTPRequestHandler):
    """The page with every metric, of many commands and statuses; what counts, grows with each scrape."""

    asked = 0
    page = EVERY_METRIC.read_text(encoding="utf-8")
    for label, value in (("comm", "bash"), ("code", "250")):
        page = re.sub(rf'(?m)^(.*\b{label}=)"{value}"(.*)$', lambda match: "\n".join(
            f'{match[1]}"{number}"{match[2]}' for number in range(MANY)), page)

    def do_GET(self):  # noqa: N802 (the library's name)
        EveryMetric.asked += 1
        counting = set(re.findall(r"^# TYPE (\S+) (?:counter|histogram)$", self.page, re.MULTILINE))

        def grown(match):
            name, labels, value = match.groups()
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            factor = 1 + EveryMetric.asked if {name, family} & counting else 1
            return f"{name}{labels or ''} {float(value) * factor}"

        page = re.sub(r"(?m)^(\w+)(\{.*\})? (\S+)$", grown, re.sub(r"(?m)^#.*\n", "", self.page))
        page += f"process_start_time_seconds {EveryMetric.asked}\n"  # as if it were started again and again
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def every_metric():
    """The port that serves it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EveryMetric) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Asked:
    """A Prometheus, as Grafana asks it about the last seconds."""

    def __init__(self, server, instance):
        self._server, self.instance = server, instance
        self._end = time.time()

    def series(self, target, instance):
        """What is found for a target, where instances match; an error is an exception."""
        expression = grafana.interpolated(target["expr"], instance=instance, shown=f"{SECONDS}s")
        if target["instant"]:
            return self._server.api("query", query=expression, time=self._end)["result"]
        return self._server.api("query_range", query=expression, start=self._end - SECONDS / 2, end=self._end,
                                step=1)["result"]

    def finds(self, target):
        """Whether there is a number for the one instance."""
        found = self.series(target, re.escape(self.instance).replace("\\", "\\\\"))
        return any(value != "NaN" for one in found for _, value in one.get("values", [one.get("value")]))

    def silent_panels(self, board):
        """Those of which a target finds nothing."""
        return {panel["title"] for panel in board["panels"] if panel["type"] != "row"
                if not all([self.finds(target) for target in panel["targets"]])}

    def variable(self, query):
        selector, label = grafana.label_values(query)
        return self._server.api(f"label/{label}/values", **{"match[]": grafana.interpolated(selector)})


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.why_not())
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(demo.replay(demo.DEMO, SPEED)).wait_ready()
            page = stack.enter_context(every_metric())
            machines = {f"machine-{number}": page for number in range(MANY)}
            one = stack.enter_context(prometheus.Prometheus(exporter.port)).wait_scraping()
            many = stack.enter_context(scraper.Scraper("Prometheus", demo.command_for(machines), None)).wait_scraping()
            time.sleep(SECONDS)
            cls.replay, cls.all = Asked(one, f"127.0.0.1:{exporter.port}"), Asked(many, "machine-1")
            cls.addClassCleanup(stack.pop_all().close)

    def test_each_panel_finds_something(self):
        lacking = set()
        for board in map(grafana.board, grafana.files()):
            silent = self.replay.silent_panels(board)
            self.assertEqual(silent - set(LIVE_ONLY), set(), "they find nothing")
            lacking |= silent
        self.assertEqual(lacking, set(LIVE_ONLY), "these find something in a replay")

    def test_what_a_replay_lacks_is_found_where_it_is(self):
        for board in map(grafana.board, grafana.files()):
            self.assertEqual(self.all.silent_panels(board) & set(LIVE_ONLY), set())

    def test_however_many_there_are_no_panel_shows_more(self):
        for label, names in (("instance", "up"), ("comm", "procevent_forks_total"),
                             ("code", "procevent_exit_statuses_total")):
            self.assertGreaterEqual(len(self.all.variable(f"label_values({names}, {label})")), MANY)
        for board in map(grafana.board, grafana.files()):
            for one in board["panels"]:
                for target in one.get("targets", ()):
                    if target["format"] != "heatmap":
                        with self.subTest(board["title"], panel=one["title"], target=target["refId"]):
                            self.assertLessEqual(len(self.all.series(target, ".+")), MOST)

    def test_an_expression_that_is_none_is_an_error(self):
        for broken in ("sum(", "no_such_function(up)", "up and"):
            with self.assertRaisesRegex(AssertionError, "bad_data|400"):
                self.replay.finds({"expr": broken, "instant": True})

    def test_one_that_finds_nothing_is_noticed(self):
        for instant in (True, False):
            self.assertFalse(self.replay.finds({"expr": 'up{instance=~"$instance"} > 1', "instant": instant}))
            self.assertFalse(self.replay.finds({"expr": 'up{instance=~"$instance"} * NaN', "instant": instant}))

    def test_each_variable_offers_what_is_scraped(self):
        for board in map(grafana.board, grafana.files()):
            for name, value in (("job", prometheus.JOB), ("instance", self.replay.instance)):
                self.assertEqual(self.replay.variable(variable(board, name)["query"]["query"]), [value])

    def test_each_annotation_marks_what_it_is_for(self):
        for board in map(grafana.board, grafana.files()):
            for annotation in board["annotations"]["list"]:
                with self.subTest(annotation["name"]):
                    self.assertTrue(self.all.finds({"expr": annotation["target"]["expr"], "instant": True}))
                    self.assertFalse(self.replay.finds({"expr": annotation["target"]["expr"], "instant": True}))


if __name__ == "__main__":
    harness.main()
