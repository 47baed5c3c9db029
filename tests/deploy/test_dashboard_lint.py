#!/usr/bin/env python3
"""Grafana's dashboards keep to the linter's rules, and each rule finds what it is for."""

import copy
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import catalogue  # noqa: E402
import dashboard_lint  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import promql  # noqa: E402


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


def annotation(board):
    return board["annotations"]["list"][0]["target"]


# Which rule finds it, what is broken, and how.
OF_FORK_STORMS = (
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
    ("target-rate-interval-rule", "five minutes of a graph", replaced(r"\[\$__rate_interval\]", "[5m]")),
    ("target-rate-interval-rule", "a graph's steps of now", replaced(r"\[5m\]", "[$__rate_interval]")),
    ("target-rate-interval-rule", "a record at its end", replaced(r"\$__interval", "$__rate_interval")),
    ("target-rate-interval-rule", "a record in other steps",
     lambda board: next(one for one in targets(board) if "interval" in one).pop("interval")),
    ("target-rate-interval-rule", "a rate over all", replaced(r"(rate\([^[]*)\[\$__rate_interval\]", r"\1[$__range]")),
    ("target-counter-agg-rule", "raw", replaced(r"rate\(([^[]*)\[\$__rate_interval\]\)", r"(\1)")),
    ("target-counter-agg-rule", "its average", replaced(r"increase\(", "avg_over_time(")),
    ("target-histogram-rule", "buckets", replaced(r"histogram_quantile\([^,]*,", "abs(")),
    ("target-appearing-rule", "by command", replaced(r"sum by \(comm\).*", "topk(1, sum by (comm) (increase("
     'procevent_forks_total{job=~"$job", instance=~"$instance"}[$__range])))')),
    ("target-ours", "all targets' CPU", replaced(r"procevent_blind_seconds_total", "process_cpu_seconds_total")),
    ("target-ours", "an annotation", lambda board: annotation(board).update(
        expr=annotation(board)["expr"].partition(" and on")[0])),
    ("target-metric", "no such metric", replaced(r"procevent_\w+_total\{", "procevent_spawns_total{")),
    ("target-metric", "a recording rule", replaced(r"procevent_\w+_total\{", "job:procevent_forks_total{")),
    ("target-label", "no such label", replaced(r'outcome!="success"', 'result!="success"')),
    ("target-label", "grouped by none", replaced(r"sum by \(code\)", "sum by (le, code)")),
    ("target-legend", "none", lambda board: graph(board)["targets"][0].update(legendFormat="__auto")),
    ("target-legend", "of no label", lambda board: graph(board)["targets"][0].update(legendFormat="{{cpu}}")),
    ("target-bounded", "every command", replaced(r" and topk\(10, sum by \(comm\).*", "")),
    ("target-bounded", "a top at each moment", replaced(r" @ end\(\)", "")),
    ("target-bounded", "a row for each command", replaced(r"topk\(15, (sum by \(comm\).*)\)$", r"\1")),
    ("target-bounded", "every machine", replaced(r"^sum\((max by .*procevent_processes.*)\)$", r"\1")),
)
OF_THE_FLEET = (
    ("template-job-instance-rule", "no job", lambda board: board["templating"]["list"].remove(variable(board, "job"))),
    ("target-job-instance-rule", "all jobs", replaced(r'job=~"\$job"', "")),
    ("fleet-records", "all commands", replaced(r"sum\(job:procevent_forks", "sum(instance_comm:procevent_forks")),
    ("fleet-records", "each machine over time",
     replaced(r"max_over_time\(job:", "max_over_time(instance:")),
    ("target-now", "a stat over time", put(lambda board: targets(board)[0], instant=False, range=True)),
    ("target-now", "a stat of both", put(lambda board: targets(board)[0], range=True)),
    ("target-now", "a bar of neither", put(lambda board: panel(board, "bargauge")["targets"][0], instant=False)),
    ("fleet-records", "a raw metric", replaced(r"max\(job:[a-z:_]*", "max(procevent_processes")),
)


class Lint(unittest.TestCase):
    def test_no_fault_is_found(self):
        self.assertEqual(len(grafana.files()), 3)
        for file in grafana.files():
            with self.subTest(file.name):
                self.assertEqual(dashboard_lint.lint(grafana.board(file)), [])

    def test_each_rule_finds_what_it_is_for(self):
        broken = {"fork-storms": OF_FORK_STORMS, "fleet": OF_THE_FLEET}
        self.assertEqual({rule for rows in broken.values() for rule, _, _ in rows}, set(dashboard_lint.RULES))
        for file, rows in broken.items():
            sound = grafana.board(grafana.FOLDER / "dashboards" / f"{file}.json")
            for rule, name, breaks in rows:
                with self.subTest(file, rule=rule, broken=name):
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


if __name__ == "__main__":
    harness.main()
