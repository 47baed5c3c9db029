#!/usr/bin/env python3
"""Grafana's dashboards: made of their source, and every expression answered by a real Prometheus with the recording
rules, briefly.

That scrapes the exporter while it replays the demo's machine and its fork storm. What a replay leaves out (LIVE_ONLY)
is asked of one that scrapes a page with every metric, as that of many machines with many commands: no panel may show
more for it; and of one that scrapes a listener.
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

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import brief_rules  # noqa: E402
import dashboard_lint  # noqa: E402
import demo  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import prometheus  # noqa: E402
import synthetic  # noqa: E402

SPEED = 4  # the demo's half a minute, storm and all, in eight seconds
SECONDS = 26  # until the newcomer: longer than an hour is, briefly
AFTER = 6  # that: less than 5 minutes are, briefly
SHOWN = 20  # of them all
MANY = synthetic.MANY
MOST = 20  # lines or rows
DOWN = "machine-down"

# Panels that find nothing in a replay, because a capture does not hold it.
LIVE_ONLY = {
    "Completeness": "a replay has no blind time",
    "Completeness of an hour": "a replay has no blind time",
    "Least complete": "a replay has no blind time",
    "Deaf in an hour": "a replay has no blind time",
    "Machines": "a replay is none of the fleet's",
    "Not answering": "a replay is none of the fleet's",
    "Not scraped": "a replay is none of the fleet's",
    "Exporters": "a replay is none of the fleet's",
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

    def test_the_pictures_are_of_these_dashboards(self):
        self.assertEqual(grafana.DRAWN.read_text(encoding="utf-8"), grafana.sums(),
                         "PROCEVENT_REFRESH_GOLDEN=1 test_dashboard_pictures.py draws the pictures anew")

    def test_nothing_of_node_is_beside_them(self):
        self.assertEqual([path.name for path in grafana.FOLDER.rglob("*") if path.name.startswith(("package", "node"))],
                         [])

    def test_no_lock_names_a_registry(self):
        locks = sorted(HERE.glob("*/package-lock.json"))
        self.assertGreater(len(locks), 0)
        for lock in locks:
            text = lock.read_text(encoding="utf-8")
            self.assertEqual([word for word in ("://", '"resolved"') if word in text], [], lock)


# --- A real Prometheus ---

class Asked:
    """A Prometheus, as Grafana asks it about the last seconds."""

    def __init__(self, server, instance):
        self._server, self.instance = server, instance
        self._end = time.time()

    def series(self, target, instance=".+", shown=SHOWN):
        """What is found for a target, where instances match; an error is an exception."""
        expression = grafana.interpolated(brief_rules.briefly(target["expr"]), self._end, shown, instance=instance)
        return self._answer(expression, target["instant"])

    @functools.cache
    def _answer(self, expression, instant):
        if instant:
            return self._server.api("query", query=expression, time=self._end)["result"]
        return self._server.api("query_range", query=expression, start=self._end - SHOWN / 2, end=self._end,
                                step=1)["result"]

    def last(self, target, shown=SHOWN):
        """Of each series that there is at the end: its labels and value."""
        found = [(one["metric"], one.get("value") or one["values"][-1]) for one in self.series(target, shown=shown)]
        return [(labels, float(value)) for labels, (at, value) in found if at > self._end - 1]

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
        return self._server.api(f"label/{label}/values",
                                **{"match[]": grafana.interpolated(selector, self._end, SHOWN)})


def each_target():
    """Of all dashboards: dashboard, panel and target."""
    return [(board, panel, target) for board in map(grafana.board, grafana.files())
            for panel in board["panels"] for target in panel.get("targets", ())]


def target_of(board, title, letter="A"):
    (panel,) = (panel for panel in grafana.board(grafana.FOLDER / "dashboards" / f"{board}.json")["panels"]
                if panel["title"] == title)
    return next(target for target in panel["targets"] if target["refId"] == letter)


class Answers(unittest.TestCase):
    """`replay` is asked of one exporter, `all` of many machines, of which `down` is; beside them are targets of another
    job."""

    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.why_not())
        with contextlib.ExitStack() as stack:
            exporter = stack.enter_context(demo.replay(demo.DEMO, SPEED)).wait_ready()
            page, down = (stack.enter_context(synthetic.served(synthetic.Machine)) for _ in range(2))
            others = {"other": stack.enter_context(synthetic.served(synthetic.Foreign)), "gone": harness.free_port()}
            machines = {f"machine-{number}": page for number in range(MANY)}
            one = stack.enter_context(demo.scraped({"replay-1": exporter.port}, node=others)).wait_scraping()
            many = stack.enter_context(demo.scraped({**machines, DOWN: down}, node=others)).wait_scraping()
            time.sleep(SECONDS)
            synthetic.Machine.closed.add(down)
            one_down = "job:procevent_up:count - job:procevent_up:sum == 1 and on (job) count by (job) (up == 0) == 1"
            harness.wait_for("all but one to answer", lambda: many.query(one_down))
            synthetic.Machine.begun = True
            time.sleep(AFTER)
            harness.wait_for("all but one to answer", lambda: many.query(one_down))
            cls.replay, cls.all, cls.down = Asked(one, "replay-1"), Asked(many, "machine-1"), Asked(many, DOWN)
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
        for label, names in (("instance", "instance:procevent_replayed:last"), ("comm", "procevent_forks_total"),
                             ("code", "procevent_exit_statuses_total")):
            self.assertGreaterEqual(len(self.all.variable(f"label_values({names}, {label})")), MANY)
        for board, panel, target in each_target():
            if target["format"] != "heatmap":
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    self.assertLessEqual(len(self.all.series(target)), MOST)

    def test_none_but_exporters_are_counted(self):
        for title, letter, count in (("Not scraped", "A", 1), ("Exporters", "A", MANY + 1), ("Exporters", "B", MANY)):
            with self.subTest(title, letter=letter):
                target = target_of("exporter-health", title, letter)
                self.assertEqual(self.all.last(target, shown=AFTER // 2), [({}, count)], "it is down for longer")
                self.assertEqual(self.replay.last(target), [], "a replay is none")
        for asked in (self.replay, self.all):
            for board, panel, target in each_target():
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    found = {one["metric"].get("instance") for one in asked.series(target)}
                    self.assertEqual(found & {"other", "gone"}, set())

    def test_blind_time_is_in_the_completeness(self):
        """All of the time is blind; of the events 603 were lost for each 1055 that are no ACKs."""
        self.assertEqual(self.all.last(target_of("fork-storms", "Completeness")), [({}, 0)])
        ((_, received),) = self.all.last(target_of("fork-storms", "Received"))
        self.assertAlmostEqual(received, 1055 / (1055 + 603))

    def test_the_fleet_knows_who_is_down(self):
        self.assertEqual(self.all.last(target_of("fleet", "Machines")), [({}, MANY + 1)])
        self.assertEqual(self.all.last(target_of("fleet", "Not answering")), [({}, 1)])

    def test_no_stat_tells_what_was_true_of_who_is_down(self):
        """But what is of some time, or recorded."""
        stats = {panel["title"]: target for _, panel, target in each_target()
                 if panel["type"] == "stat" and not re.search(r"\[|\w:\w", target["expr"]) and self.all.finds(target)}
        self.assertGreaterEqual(set(stats), {"Processes alive", "Worst 100 ms", "Deaf", "Replays"})
        self.assertEqual([title for title, target in stats.items() if self.down.finds(target)], [])

    def test_the_first_count_of_a_row_is_told(self):
        asked = 0
        for board, panel, target in each_target():
            for label in set(synthetic.NEWCOMER) & dashboard_lint.grouped(target):
                with self.subTest(board["title"], panel=panel["title"], target=target["refId"]):
                    asked += 1
                    told = [one.get("values", [one.get("value")]) for one in self.all.series(target)
                            if one["metric"].get(label) == synthetic.NEWCOMER[label]]
                    self.assertTrue(any(float(value) > 0 for one in told for _, value in one), told)
        self.assertGreater(asked, 12)

    def test_the_first_count_of_a_row_is_told_exactly(self):
        """Of an exporter that was there before the row, and of one that began after the time shown did."""
        target, counter = target_of("fork-storms", "Ended without an exec"), "procevent_unexeced_exits_total"
        for asked, command, shown in ((self.all, "newcomer", SHOWN), (self.replay, "fork-storm", 3600)):
            with self.subTest(command):
                counted = {value for _, value in asked.last(
                    {"expr": f'{counter}{{comm="{command}"}}', "instant": True})}
                told = {value for labels, value in asked.last(target, shown) if labels["comm"] == command}
                self.assertEqual(told, counted)
                self.assertGreater(min(told), 0)

    def test_an_expression_that_is_none_is_an_error(self):
        for broken in ("sum(", "no_such_function(up)", "up and"):
            with self.assertRaisesRegex(AssertionError, "bad_data|400"):
                self.replay.finds({"expr": broken, "instant": True})

    def test_one_that_finds_nothing_is_noticed(self):
        for instant in (True, False):
            self.assertFalse(self.replay.finds({"expr": 'up{instance=~"$instance"} > 1', "instant": instant}))
            self.assertFalse(self.replay.finds({"expr": 'up{instance=~"$instance"} * NaN', "instant": instant}))

    def test_each_variable_offers_what_is_scraped(self):
        offered = {"job": prometheus.JOB, "instance": self.replay.instance}
        for board in map(grafana.board, grafana.files()):
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    self.assertEqual(self.replay.variable(variable["query"]["query"]), [offered[variable["name"]]])

    def test_each_annotation_marks_what_it_is_for(self):
        marked = [one for board in map(grafana.board, grafana.files()) for one in board["annotations"]["list"]]
        self.assertEqual(len(marked), 6)
        for annotation in marked:
            target = {"expr": annotation["target"]["expr"], "instant": True}
            with self.subTest(annotation["name"]):
                self.assertTrue(self.all.finds(target))
                self.assertFalse(self.replay.finds(target))
                self.assertEqual({labels["instance"] for labels, _ in self.all.last(target)} & {"other", "gone"}, set())


class Listening(harness.LiveTest):
    def test_what_a_replay_lacks_is_found_of_a_listener(self):
        harness.require(prometheus.why_not())
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with demo.scraped({"this-one": exporter.port}) as server:
                server.wait_scraping()
                time.sleep(SECONDS)
                with harness.Storm("fork", 2000) as storm:
                    storm.wait()
                time.sleep(AFTER)
                asked = Asked(server, "this-one")
                for board in map(grafana.board, grafana.files()):
                    self.assertEqual(asked.silent_panels(board) & set(LIVE_ONLY), set(), board["title"])


if __name__ == "__main__":
    harness.main()
