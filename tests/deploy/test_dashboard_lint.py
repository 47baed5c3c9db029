#!/usr/bin/env python3
"""Tests that the Grafana dashboards pass the lint rules, and that each rule detects its fault."""

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
    """Returns a function that breaks the first expression that contains the pattern."""

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


# Rule that detects the fault, name of the fault, and the function that breaks the dashboard.
FORK_STORMS_FAULTS = (
    ("stable-uid", "no uid", lambda board: board.pop("uid")),
    ("stable-uid", "uid too long", put(lambda board: board, uid="x" * 41)),
    ("uneditable-dashboard", "editable", put(lambda board: board, editable=True)),
    ("linked-dashboards", "no links", put(lambda board: board, links=[])),
    ("template-datasource-rule", "wrong name", put(lambda board: variable(board, "datasource"), name="source")),
    ("template-datasource-rule", "two variables",
     lambda board: board["templating"]["list"].append(variable(board, "datasource"))),
    ("template-job-instance-rule", "no job", lambda board: board["templating"]["list"].remove(variable(board, "job"))),
    ("template-job-instance-rule", "single job", put(lambda board: variable(board, "job"), multi=False)),
    ("template-job-instance-rule", "wrong value of all", put(lambda board: variable(board, "instance"), allValue=".*")),
    ("template-on-time-change-reload-rule", "on load only", put(lambda board: variable(board, "job"), refresh=1)),
    ("template-label-promql-rule", "unknown metric",
     lambda board: variable(board, "job")["query"].update(query="label_values(procevent_buildinfo, job)")),
    ("panel-datasource-rule", "fixed source", put(graph, datasource={"type": "prometheus", "uid": "mine"})),
    ("panel-datasource-rule", "query without source", lambda board: targets(board)[0].pop("datasource")),
    ("panel-title-description-rule", "no title", put(graph, title="")),
    ("panel-title-description-rule", "no description", lambda board: graph(board).pop("description")),
    ("panel-units-rule", "no unit", lambda board: graph(board)["fieldConfig"]["defaults"].pop("unit")),
    ("panel-units-rule", "unknown unit", lambda board: graph(board)["fieldConfig"]["defaults"].update(unit="forks")),
    ("panel-units-rule", "events per second of Grafana",
     lambda board: graph(board)["fieldConfig"]["defaults"].update(unit="eps")),
    ("panel-red", "a red line", lambda board: graph(board)["fieldConfig"]["overrides"].append(
        {"properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": "dark-red"}}]})),
    ("panel-red", "a scale to red", lambda board: graph(board)["fieldConfig"]["defaults"].update(
        color={"mode": "continuous-GrYlRd"})),
    ("panel-red", "a red threshold", lambda board: graph(board)["fieldConfig"]["defaults"]["thresholds"].update(
        steps=[{"value": None, "color": "red"}])),
    ("panel-red", "a red annotation", lambda board: board["annotations"]["list"][0].update(iconColor="red")),
    ("panel-text", "no content", lambda board: panel(board, "text")["options"].update(content=" ")),
    ("panel-no-targets-rule", "no queries", put(graph, targets=[])),
    ("panel-no-targets-rule", "repeated letter",
     lambda board: graph(board)["targets"].append(graph(board)["targets"][0])),
    ("grid", "overlapping panels", stacked),
    ("grid", "too wide", lambda board: graph(board)["gridPos"].update(w=25)),
    ("grid", "repeated id", lambda board: board["panels"][1].update(id=1)),
    ("target-job-instance-rule", "no job", replaced(r'job=~"\$job", ', "")),
    ("target-job-instance-rule", "single instance", replaced(r'instance=~"\$instance"', 'instance="$instance"')),
    ("target-rate-interval-rule", "fixed window in a graph", replaced(r"\[\$__rate_interval\]", "[5m]")),
    ("target-rate-interval-rule", "steps in an instant query",
     replaced(r"(sum\(increase\([^[]*)\[\$__range\]", r"\1[$__rate_interval]")),
    ("target-rate-interval-rule", "rate interval of a record", replaced(r"\$__interval", "$__rate_interval")),
    ("target-rate-interval-rule", "record in other steps",
     lambda board: next(one for one in targets(board) if "interval" in one).pop("interval")),
    ("target-rate-interval-rule", "rate over the range",
     replaced(r"(rate\([^[]*)\[\$__rate_interval\]", r"\1[$__range]")),
    ("target-counter-agg-rule", "raw counter", replaced(r"rate\(([^[]*)\[\$__rate_interval\]\)", r"(\1)")),
    ("target-counter-agg-rule", "average of a counter", replaced(r"increase\(", "avg_over_time(")),
    ("target-histogram-rule", "raw buckets", replaced(r"histogram_quantile\([^,]*,", "abs(")),
    ("target-appearing-rule", "by command", replaced(r"sum by \(comm\).*", "topk(1, sum by (comm) (increase("
     'procevent_forks_total{job=~"$job", instance=~"$instance"}[$__range])))')),
    ("target-exporters-only", "CPU of all targets",
     replaced(r"procevent_unsubscribed_seconds_total", "process_cpu_seconds_total")),
    ("target-exporters-only", "annotation of all targets", lambda board: annotation(board).update(
        expr=annotation(board)["expr"].partition(" and on")[0])),
    ("target-metric", "unknown metric", replaced(r"procevent_\w+_total\{", "procevent_spawns_total{")),
    ("target-metric", "unknown record", replaced(r"procevent_\w+_total\{", "job:procevent_forks_total{")),
    ("target-label", "unknown label", replaced(r'outcome!="success"', 'result!="success"')),
    ("target-label", "grouped by an unknown label", replaced(r"sum by \(comm, code\)", "sum by (comm, code, le)")),
    ("target-legend", "no legend", lambda board: graph(board)["targets"][0].update(legendFormat="__auto")),
    ("target-legend", "unknown label", lambda board: graph(board)["targets"][0].update(legendFormat="{{cpu}}")),
    ("target-bounded", "every command", replaced(r" and topk\(10, sum by \(comm\).*", "")),
    ("target-bounded", "top of each step", replaced(r" @ end\(\)", "")),
    ("target-bounded", "a row for each command", replaced(r"^\(topk\(15, (.*?)\)\) or .*", r"\1")),
    ("target-bounded", "every machine", replaced(r"^sum\((max by .*procevent_processes.*)\)$", r"\1")),
)
FLEET_FAULTS = (
    ("template-job-instance-rule", "no job", lambda board: board["templating"]["list"].remove(variable(board, "job"))),
    ("target-job-instance-rule", "all jobs", replaced(r'job=~"\$job"', "")),
    ("fleet-records", "all commands", replaced(r"sum\(job:procevent_forks", "sum(instance_comm:procevent_forks")),
    ("fleet-records", "each machine over time",
     replaced(r"max_over_time\(job:", "max_over_time(instance:")),
    ("target-instant", "stat of a range", put(lambda board: targets(board)[0], instant=False, range=True)),
    ("target-instant", "stat of both", put(lambda board: targets(board)[0], range=True)),
    ("target-instant", "bar of neither", put(lambda board: panel(board, "bargauge")["targets"][0], instant=False)),
    ("fleet-records", "raw metric", replaced(r"max\(job:[a-z:_]*", "max(procevent_processes")),
)


class Lint(unittest.TestCase):
    def test_dashboards_have_no_fault(self):
        self.assertEqual(len(grafana.files()), 3)
        for file in grafana.files():
            with self.subTest(file.name):
                self.assertEqual(dashboard_lint.lint(grafana.board(file)), [])

    def test_red_is_for_panels_that_need_action(self):
        red = set().union(*map(dashboard_lint.red_panels, map(grafana.board, grafana.files())))
        self.assertEqual(red, dashboard_lint.ACTION)

    def test_each_rule_detects_its_fault(self):
        broken = {"fork-storms": FORK_STORMS_FAULTS, "fleet": FLEET_FAULTS}
        self.assertEqual({rule for rows in broken.values() for rule, _, _ in rows}, set(dashboard_lint.RULES))
        for file, rows in broken.items():
            sound = grafana.board(grafana.FOLDER / "dashboards" / f"{file}.json")
            for rule, name, breaks in rows:
                with self.subTest(file, rule=rule, broken=name):
                    board = copy.deepcopy(sound)
                    breaks(board)
                    self.assertEqual({found for found, _ in dashboard_lint.lint(board)}, {rule})

    def test_promql_parser(self):
        text = 'topk(3, sum by (a, b) (rate(x{job=~"$job", c!="}("}[5m] @ end()))) and on (d) f(y, "z", "") / 2e3 > 1'
        self.assertEqual(promql.selectors(text), [
            promql.Selector("x", [("job", "=~", '"$job"'), ("c", "!=", '"}("')], "5m", "rate"),
            promql.Selector("y", [], None, "f")])
        self.assertEqual(promql.grouped_by(text), {"a", "b", "d"})
        self.assertEqual(promql.without_totals('1 - sum(a{x="("}) / (sum by (b) (c) > max(d))'),
                         "1 - 1 / (sum by (b) (c) > 1)")

    def test_catalogue_is_complete(self):
        found = catalogue.catalogue()
        self.assertGreater(len(found), 50)
        self.assertEqual(found["procevent_exits_total"], ("Counter", {"comm", "outcome"}))
        self.assertEqual(found["procevent_event_delay_seconds_bucket"], ("Counter", {"le"}))


if __name__ == "__main__":
    harness.main()
