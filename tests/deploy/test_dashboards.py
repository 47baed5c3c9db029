#!/usr/bin/env python3
"""Tests the Grafana dashboards: the files match their source, and a real Prometheus answers every expression.

The Prometheus evaluates the recording rules with shortened windows, and scrapes an exporter that replays the demo with
its fork storm. Panels that are empty in a replay (LIVE_ONLY) are tested with synthetic pages that contain every metric
of many machines and commands, and with an exporter that is subscribed to the kernel. The synthetic pages also show that
the size of a panel is bounded.
"""

import contextlib
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import dashboard_lint  # noqa: E402
import demo  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import prometheus  # noqa: E402
import short_windows  # noqa: E402
import synthetic  # noqa: E402

SPEED = 4  # replays the demo's half a minute in eight seconds
SECONDS = 26  # before the newcomer appears: longer than the shortened hour
AFTER = 6  # after it appears: less than the shortened 5 minutes
SHOWN = 20  # seconds of the time range
MANY = synthetic.MANY
MAX_SERIES = 20  # lines or rows of a panel
DOWN = "machine-down"

# Panels that are empty in a replay, because a capture lacks their data.
LIVE_ONLY = {
    "Completeness": "a replay has no time without a subscription",
    "Completeness over one hour": "a replay has no time without a subscription",
    "Unsubscribed (1 h)": "a replay has no time without a subscription",
    "Machines": "the fleet excludes replays",
    "Exporters down": "the fleet excludes replays",
    "Exporters": "the fleet excludes replays",
    "Time unsubscribed": "a replay has no subscription",
    "Audit against /proc/stat": "the kernel of a replay counts other forks",
    "Subscription restarts": "a replay has no subscription",
    "Clones while unsubscribed": "the kernel of a replay counts other forks",
    "Receive queue usage": "a replay has no socket",
    "Receive queue peak": "a replay has no socket",
    "Socket drops": "a replay has no socket",
}


class Source(unittest.TestCase):
    def test_files_match_their_source(self):
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
                             f"{name} differs from its source: PROCEVENT_REFRESH_GOLDEN=1 regenerates it")

    def test_pictures_show_the_committed_dashboards(self):
        self.assertEqual(grafana.DRAWN.read_text(encoding="utf-8"), grafana.sums(),
                         "take_pictures.py redraws the pictures: docs/testing.md")

    def test_provisioned_data_source_is_selected_and_is_not_the_default(self):
        file = grafana.FOLDER / "provisioning" / "datasources" / "prometheus.yml"
        (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
        self.assertIs(source["isDefault"], False)
        for board in map(grafana.board, grafana.files()):
            (variable,) = (one for one in board["templating"]["list"] if one["type"] == "datasource")
            self.assertEqual((variable["query"], variable["current"]),
                             (source["type"], {"text": source["name"], "value": source["uid"]}))

    def test_table_and_graph_of_commands_show_the_same_series(self):
        for table, graph in (("Top forkers", "Forks by command"), ("Top programs", "Programs executed by command"),
                             ("Top thread starters", "Threads started by command")):
            with self.subTest(graph):
                shown = [{one.metric for one in dashboard_lint.selectors_of(target_of("fork-storms", title)["expr"])}
                         - {"procevent_up"} for title in (table, graph)]
                self.assertEqual(shown[0], shown[1])

    def test_sources_contain_no_node_modules(self):
        self.assertEqual([path.name for path in grafana.FOLDER.rglob("*") if path.name.startswith(("package", "node"))],
                         [])

    def test_locks_name_no_registry(self):
        locks = sorted(HERE.glob("*/package-lock.json"))
        self.assertGreater(len(locks), 0)
        for lock in locks:
            text = lock.read_text(encoding="utf-8")
            self.assertEqual([word for word in ("://", '"resolved"') if word in text], [], lock)


# --- A real Prometheus ---

class GrafanaClient:
    """Queries a Prometheus as Grafana does, for the last SHOWN seconds."""

    def __init__(self, server, instance):
        self._server, self.instance = server, instance
        self._end = time.time()

    def series(self, target, instance=".+", shown=SHOWN):
        """The series of a panel's query for the matching instances. Raises on an error of the query."""
        expression = grafana.interpolated(short_windows.shorten(target["expr"]), self._end, shown, instance=instance)
        return self._query(expression, target["instant"])

    @functools.cache
    def _query(self, expression, instant):
        if instant:
            return self._server.api("query", query=expression, time=self._end)["result"]
        return self._server.api("query_range", query=expression, start=self._end - SHOWN / 2, end=self._end,
                                step=1)["result"]

    def last(self, target, shown=SHOWN):
        """Labels and value of each series that exists at the end of the time range."""
        found = [(one["metric"], one.get("value") or one["values"][-1]) for one in self.series(target, shown=shown)]
        return [(labels, float(value)) for labels, (at, value) in found if at > self._end - 1]

    def has_data(self, target):
        """Whether the query returns a number for the client's instance."""
        found = self.series(target, re.escape(self.instance).replace("\\", "\\\\"))
        return any(value != "NaN" for one in found for _, value in one.get("values", [one.get("value")]))

    def empty_panels(self, board):
        """The titles of panels with a query that returns nothing."""
        return {panel["title"] for panel in board["panels"] if panel["type"] != "row"
                if not all([self.has_data(target) for target in panel.get("targets", ())])}

    def variable(self, query):
        selector, label = grafana.label_values(query)
        return self._server.api(f"label/{label}/values",
                                **{"match[]": grafana.interpolated(selector, self._end, SHOWN)})


def each_target():
    """Dashboard, panel and query, for every query of every dashboard."""
    return [(board, panel, target) for board in map(grafana.board, grafana.files())
            for panel in board["panels"] for target in panel.get("targets", ())]


def target_of(board, title, letter="A"):
    (panel,) = (panel for panel in grafana.board(grafana.FOLDER / "dashboards" / f"{board}.json")["panels"]
                if panel["title"] == title and panel["type"] != "row")
    return next(target for target in panel["targets"] if target["refId"] == letter)


class Queries(unittest.TestCase):
    """`replay` queries one exporter, `all` many machines, and `down` the one of them that is down. Another job has
    targets that are no exporters."""

    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.skip_reason())
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(demo.replay(demo.DEMO, SPEED)).wait_ready()
            page, down = (stack.enter_context(synthetic.served(synthetic.Machine)) for _ in range(2))
            others = {"other": stack.enter_context(synthetic.served(synthetic.Foreign)), "gone": harness.free_port()}
            machines = {f"machine-{number}": page for number in range(MANY)}
            one = stack.enter_context(demo.scraped({"replay-1": exporter.port}, node=others)).wait_scraping()
            many = stack.enter_context(demo.scraped({**machines, DOWN: down}, node=others)).wait_scraping()
            time.sleep(SECONDS)
            synthetic.Machine.closed.add(down)
            one_down = ("job:procevent_exporter_up:count - job:procevent_exporter_up:sum == 1"
                        " and on (job) count by (job) (up == 0) == 1")
            harness.wait_for("all but one to answer", lambda: many.query(one_down))
            synthetic.Machine.newcomer = True
            time.sleep(AFTER)
            harness.wait_for("all but one to answer", lambda: many.query(one_down))
            cls.replay, cls.all = GrafanaClient(one, "replay-1"), GrafanaClient(many, "machine-1")
            cls.down = GrafanaClient(many, DOWN)
            cls.addClassCleanup(stack.pop_all().close)

    def test_replay_fills_all_but_the_live_panels(self):
        lacking = set()
        for board in map(grafana.board, grafana.files()):
            empty = self.replay.empty_panels(board)
            self.assertEqual(empty - set(LIVE_ONLY), set(), "empty panels")
            lacking |= empty
        self.assertEqual(lacking, set(LIVE_ONLY), "panels with data in a replay")

    def test_synthetic_machines_fill_the_live_panels(self):
        for board in map(grafana.board, grafana.files()):
            self.assertEqual(self.all.empty_panels(board) & set(LIVE_ONLY), set())

    def test_panel_size_is_bounded(self):
        for label, names in (("instance", "instance:procevent_replayed:last"), ("comm", "procevent_forks_total")):
            self.assertGreaterEqual(len(self.all.variable(f"label_values({names}, {label})")), MANY)
        for board, panel, target in each_target():
            if target["format"] != "heatmap":
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    self.assertLessEqual(len(self.all.series(target)), MAX_SERIES)

    def test_only_exporters_are_counted(self):
        for title, letter, count in (("Exporters down", "A", 1), ("Exporters", "A", MANY + 1),
                                     ("Exporters", "B", MANY)):
            with self.subTest(title, letter=letter):
                target = target_of("exporter-health", title, letter)
                self.assertEqual(self.all.last(target, shown=AFTER // 2), [({}, count)], "down for longer than shown")
                self.assertEqual(self.replay.last(target), [], "replays are excluded")
        for client in (self.replay, self.all):
            for board, panel, target in each_target():
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    found = {one["metric"].get("instance") for one in client.series(target)}
                    self.assertEqual(found & {"other", "gone"}, set())

    def test_completeness_includes_time_without_subscription(self):
        """The machine is never subscribed, and loses 603 events for each 1055 that are no ACKs."""
        self.assertEqual(self.all.last(target_of("fork-storms", "Completeness")), [({}, 0)])
        ((_, received),) = self.all.last(target_of("fork-storms", "Received ratio"))
        self.assertAlmostEqual(received, 1055 / (1055 + 603))

    def test_fleet_counts_exporters_that_are_down(self):
        self.assertEqual(self.all.last(target_of("fleet", "Machines")), [({}, MANY + 1)])
        self.assertEqual(self.all.last(target_of("fleet", "Exporters down")), [({}, 1)])

    def test_stats_exclude_machines_that_are_down(self):
        """Applies to stats of the current value, not of a time range or a recorded series."""
        stats = {panel["title"]: target for _, panel, target in each_target()
                 if panel["type"] == "stat" and not re.search(r"\[|\w:\w", target["expr"])
                 and self.all.has_data(target)}
        self.assertGreaterEqual(set(stats), {"Processes alive", "Subscription lost", "Replays"})
        self.assertEqual([title for title, target in stats.items() if self.down.has_data(target)], [])

    def test_growth_includes_the_first_count_of_a_row(self):
        tested = 0
        for board, panel, target in each_target():
            for label in set(synthetic.NEWCOMER) & dashboard_lint.appearing_labels(target):
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    tested += 1
                    shown = [one.get("values", [one.get("value")]) for one in self.all.series(target)
                             if one["metric"].get(label) == synthetic.NEWCOMER[label]]
                    self.assertTrue(any(float(value) > 0 for one in shown for _, value in one), shown)
        self.assertGreater(tested, 12)

    def test_growth_of_a_new_row_is_exact(self):
        """For an exporter that is older than the row, and for one that started within the time range."""
        target, counter = target_of("fork-storms", "Exits without an exec"), "procevent_exits_without_exec_total"
        for client, command, shown in ((self.all, "newcomer", SHOWN), (self.replay, "fork-storm", 3600)):
            with self.subTest(command):
                counted = {value for _, value in client.last(
                    {"expr": f'{counter}{{comm="{command}"}}', "instant": True})}
                grown = {value for labels, value in client.last(target, shown) if labels["comm"] == command}
                self.assertEqual(grown, counted)
                self.assertGreater(min(grown), 0)

    def test_invalid_expression_is_an_error(self):
        for broken in ("sum(", "no_such_function(up)", "up and"):
            with self.assertRaisesRegex(AssertionError, "bad_data|400"):
                self.replay.has_data({"expr": broken, "instant": True})

    def test_empty_result_and_nan_are_no_data(self):
        for instant in (True, False):
            self.assertFalse(self.replay.has_data({"expr": 'up{instance=~"$instance"} > 1', "instant": instant}))
            self.assertFalse(self.replay.has_data({"expr": 'up{instance=~"$instance"} * NaN', "instant": instant}))

    def test_variables_offer_the_scraped_jobs_and_instances(self):
        offered = {"job": prometheus.JOB, "instance": self.replay.instance}
        for board in map(grafana.board, grafana.files()):
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    self.assertEqual(self.replay.variable(variable["query"]["query"]), [offered[variable["name"]]])

    def test_annotations_mark_the_synthetic_machines_only(self):
        marked = [one for board in map(grafana.board, grafana.files()) for one in board["annotations"]["list"]]
        self.assertEqual(len(marked), 6)
        for annotation in marked:
            target = {"expr": annotation["target"]["expr"], "instant": True}
            with self.subTest(annotation["name"]):
                self.assertTrue(self.all.has_data(target))
                self.assertFalse(self.replay.has_data(target))
                self.assertEqual({labels["instance"] for labels, _ in self.all.last(target)} & {"other", "gone"}, set())


class Subscribed(harness.LiveTest):
    def test_subscribed_exporter_fills_the_live_panels(self):
        harness.require(prometheus.skip_reason())
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with demo.scraped({"this-one": exporter.port}) as server:
                server.wait_scraping()
                time.sleep(SECONDS)
                with harness.Storm("fork", 2000) as storm:
                    storm.wait()
                time.sleep(AFTER)
                client = GrafanaClient(server, "this-one")
                for board in map(grafana.board, grafana.files()):
                    self.assertEqual(client.empty_panels(board) & set(LIVE_ONLY), set(), board["title"])


if __name__ == "__main__":
    harness.main()
