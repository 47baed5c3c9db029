#!/usr/bin/env python3
"""Checks dashboards by the rules of Grafana's dashboard-linter and by further rules: `dashboard_lint.py FILE...`.

Prints each fault and exits 1 if there is one. RULES lists the rules; test_dashboard_lint.py tests each.
"""

import json
import re
import sys

import catalogue
import promql
import rule_files

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTED = [("job", "=~", '"$job"'), ("instance", "=~", '"$instance"')]
WIDTH = 24
UNITS = r"short|locale|percentunit|bytes|s|count:\w*/(s|min)"  # the last: Grafana's count of things per time
# The panels that may use red, since it is only for what needs action.
ACTION = {"Exporters down", "Subscription lost", "Config rejected", "Unsubscribed (1 h)", "Completeness",
          "Received ratio", "Events lost", "Receive queue peak", "Receive queue usage", "PIDs in use", "Groups in use"}
RANGES = {"$__rate_interval", "$__range", "$__interval"}
GROWTH = {"rate", "irate", "increase"}
UNBOUNDED = {"comm", "instance", "code", "signal", "version", "compiler"}  # labels with possibly hundreds of values
APPEARING = {"comm", "code", "signal"}  # labels of series that do not exist from the start
FLEET = "procevent-fleet"
RECORDS = {rule["record"]: catalogue.Metric("Gauge", rule_files.level(rule["record"]))
           for rule in rule_files.recorded()}
CATALOGUE = catalogue.catalogue() | catalogue.FROM_PROMETHEUS | RECORDS


# --- Parts of a dashboard, each with the name that a fault mentions. ---

def panels(board):
    """The panels with queries."""
    return [(f"panel {panel.get('title') or panel.get('id')!r}", panel) for panel in board.get("panels", [])
            if panel.get("type") not in ("row", "text")]


def targets(board):
    return [(f"{name}, {target.get('refId')}", panel, target) for name, panel in panels(board)
            for target in panel.get("targets", [])]


def selectors_of(expression):
    """The selectors of an expression. Grafana's variables outside of brackets and quotes are replaced by a number."""
    return promql.selectors(re.sub(r"(?<!\[)\$__\w+", "1", expression))


def selectors(board):
    return [(name, panel, target, selector) for name, panel, target in targets(board)
            for selector in selectors_of(target.get("expr", ""))]


def annotations(board):
    return [(f"annotation {one.get('name')!r}", one.get("target", {}).get("expr", ""))
            for one in board.get("annotations", {}).get("list", ())]


def variables(board, kind):
    return [variable for variable in board.get("templating", {}).get("list", []) if variable.get("type") == kind]


def red_panels(board):
    """The titles of panels with a red color, or a scale of colors that ends in red."""
    return {panel.get("title") for panel in board.get("panels", ())
            if re.search(r'[Cc]olor"?: "[\w-]*red"|"continuous-\w*Rd', json.dumps(panel))}


def differences(thing, **wanted):
    return [f"{key} is {thing.get(key)!r}, not {value!r}" for key, value in wanted.items() if thing.get(key) != value]


# --- Rules. Each yields its faults. ---

def stable_uid(board):
    if not re.fullmatch(r"[a-z0-9-]{1,40}", board.get("uid") or ""):
        yield f"invalid uid {board.get('uid')!r}"


def uneditable(board):
    yield from differences(board, editable=False)


def linked(board):
    if not any(link.get("type") == "dashboards" and link.get("includeVars") and link.get("keepTime") and
               set(link.get("tags", ())) & set(board.get("tags", ())) for link in board.get("links", ())):
        yield "no link to the dashboards of the same tag with variables and time"


def template_datasource(board):
    found = variables(board, "datasource")
    if len(found) != 1:
        yield f"{len(found)} variables of data sources, not one"
    for variable in found:
        yield from differences(variable, name="datasource", label="Data source", query="prometheus")


def template_job_instance(board):
    wanted = ["job"] if board.get("uid") == FLEET else ["job", "instance"]
    if (names := [one.get("name") for one in variables(board, "query")]) != wanted:
            yield f"wrong variables: {names}"
    for name in wanted:
        variable = next((one for one in variables(board, "query") if one.get("name") == name), None)
        if variable is None:
            yield f"no variable {name}"
        else:
            yield from (f"{name}: {fault}" for fault in differences(
                variable, label=name.capitalize(), datasource=SOURCE, multi=True, includeAll=True, allValue=".+"))


def template_refresh(board):
    for variable in variables(board, "query"):
        yield from (f"{variable.get('name')}: {fault}" for fault in differences(variable, refresh=2))


def template_query(board):
    for variable in variables(board, "query"):
        query = variable.get("query", {}).get("query", "")
        form = re.fullmatch(r'label_values\(([\w:]+)(?:\{job=~"\$job"\})?, (\w+)\)', query)
        if not form or form[1] not in CATALOGUE or form[2] != variable.get("name"):
            yield f"{variable.get('name')}: invalid query {query!r}"


def panel_datasource(board):
    for name, panel in panels(board):
        for thing in (panel, *panel.get("targets", ())):
            yield from (f"{name}: {fault}" for fault in differences(thing, datasource=SOURCE))
    for annotation in board.get("annotations", {}).get("list", ()):
        yield from (f"annotation {annotation.get('name')}: {fault}"
                    for fault in differences(annotation, datasource=SOURCE))


def panel_title_description(board):
    for name, panel in panels(board):
        if not panel.get("title") or not panel.get("description"):
            yield f"{name}: no title or no description"


def panel_unit(board):
    for name, panel in panels(board):
        config = panel.get("fieldConfig", {})
        units = [config.get("defaults", {}).get("unit")]
        units += [one["value"] for override in config.get("overrides", ()) for one in override["properties"]
                  if one["id"] == "unit"]
        yield from (f"{name}: unknown unit {unit!r}" for unit in units if not re.fullmatch(UNITS, unit or ""))


def panel_red(board):
    for title in sorted(red_panels(board) - ACTION):
        yield f"panel {title!r}: red, but it is not listed as needing action"
    for annotation in board.get("annotations", {}).get("list", ()):
        if "red" in annotation.get("iconColor", ""):
            yield f"annotation {annotation.get('name')!r}: red"


def panel_text(board):
    for panel in board.get("panels", ()):
        if panel.get("type") == "text" and not (panel.get("title") and panel["options"].get("content", "").strip()):
            yield f"text {panel.get('id')}: no title or no content"


def panel_targets(board):
    for name, panel in panels(board):
        letters = [target.get("refId") for target in panel.get("targets", ())]
        if not letters or len(set(letters)) != len(letters):
            yield f"{name}: no queries or repeated letters: {letters}"


def grid(board):
    taken = {}
    ids = [panel.get("id") for panel in board.get("panels", ())]
    if len(set(ids)) != len(ids):
        yield "two panels have the same id"
    for panel in board.get("panels", ()):
        place, name = panel.get("gridPos", {}), panel.get("title")
        x, y, width, height = (place.get(key, -1) for key in "xywh")
        if min(x, y) < 0 or min(width, height) < 1 or x + width > WIDTH:
            yield f"{name!r} is outside of the {WIDTH} columns: {place}"
            continue
        cells = [(column, row) for column in range(x, x + width) for row in range(y, y + height)]
        yield from {f"{name!r} overlaps {taken[cell]!r}" for cell in cells if cell in taken}
        taken.update(dict.fromkeys(cells, name))


def target_selects(board):
    wanted = SELECTED[:1] if board.get("uid") == FLEET else SELECTED
    for name, _, _, selector in selectors(board):
        missing = [matcher for matcher in wanted if matcher not in selector.matchers]
        yield from (f"{name}: {selector.metric} has no {''.join(matcher)}" for matcher in missing)


def target_rate_interval(board):
    """A graph uses the variables of its steps. An instant query has none: $__rate_interval would be as long as a step
    of the time range."""
    for name, _, target, selector in selectors(board):
        known = {"$__range"} if target.get("instant") else RANGES
        if selector.range is not None and selector.range not in known:
            yield f"{name}: {selector.metric}[{selector.range}]"
        recorded, steps = selector.metric in RECORDS, target.get("interval")
        if recorded and selector.range in RANGES - {"$__range"} and (selector.range, steps) != ("$__interval", "1m"):
            yield f"{name}: {selector.metric}[{selector.range}] in steps of {steps}, but it is recorded each minute"
        if selector.function in ("rate", "irate") and selector.range not in known - {"$__range"}:
            yield f"{name}: rate over [{selector.range}]"


def selects_new_rows(expression, metric):
    """Whether the expression selects the rows of the metric that are new."""
    return re.search(rf"\bunless max by \([^)]*\) \({metric}\{{[^}}]*\}} offset ", expression)


def target_counter(board):
    for name, _, target, selector in selectors(board):
        grown = selector.function in GROWTH and selector.range is not None
        if selector.metric.endswith("_total") and not grown and not selects_new_rows(target["expr"], selector.metric):
            yield f"{name}: counter {selector.metric} in {selector.function or 'no function'}"


def target_appearing(board):
    """Growth includes the first count of a row, unless the query selects rows that always exist."""
    for name, _, target, selector in selectors(board):
        labels = CATALOGUE[selector.metric].labels if selector.metric in CATALOGUE else set()
        fixed = any(label in APPEARING and kind == "=~" for label, kind, _ in selector.matchers)
        if selector.function in GROWTH and labels & APPEARING and not fixed and \
                not selects_new_rows(target["expr"], selector.metric):
            yield f"{name}: ignores the first count of a row of {selector.metric}"


def target_exporters_only(board):
    """Metrics that every target has are restricted to exporters."""
    expressions = [(name, target["expr"]) for name, _, target in targets(board)] + annotations(board)
    for name, expression in expressions:
        found = {one.metric for one in selectors_of(expression)}
        foreign = {metric for metric in found if "procevent_" not in metric}
        if foreign and not (found - foreign and re.search(r"\b(and|or) on \(job, instance\)", expression)):
            yield f"{name}: {', '.join(sorted(foreign))} of targets that are no exporters"


def fleet_records(board):
    """The fleet queries records of jobs, or with an instant query one series of each machine."""
    for name, _, target, selector in selectors(board) if board.get("uid") == FLEET else ():
        if not re.match(r"job\w*:" if target.get("range") else r"(job\w*|instance):", selector.metric):
            yield f"{name}: {selector.metric} of all machines"


def target_instant(board):
    """Panels with a current value use an instant query. The last value of a graph may be stale."""
    for name, panel, target in targets(board):
        now = target.get("instant") and not target.get("range")
        if panel["type"] in ("stat", "bargauge", "table") and not now:
            yield f"{name}: no instant query"


def target_histogram(board):
    for name, panel, target, selector in selectors(board):
        if selector.metric.endswith("_bucket") and panel["type"] != "heatmap" and \
                "histogram_quantile(" not in target["expr"]:
            yield f"{name}: {selector.metric} outside of histogram_quantile"


def target_metric(board):
    for name, _, _, selector in selectors(board):
        if selector.metric not in CATALOGUE:
            yield f"{name}: no metric {selector.metric}"


def target_label(board):
    for name, _, target in targets(board):
        found = [one for one in selectors_of(target.get("expr", "")) if one.metric in CATALOGUE]
        labels = set().union(catalogue.TARGET, *(CATALOGUE[one.metric].labels for one in found))
        grouping = promql.grouped_by(target.get("expr", ""))
        for one in found:
            wrong = {label for label, _, _ in one.matchers} - CATALOGUE[one.metric].labels - catalogue.TARGET
            yield from (f"{name}: {one.metric} has no label {label}" for label in sorted(wrong))
        yield from (f"{name}: none of its metrics has a label {label}" for label in sorted(grouping - labels))


def target_legend(board):
    for name, panel, target in targets(board):
        legend = target.get("legendFormat", "")
        if target.get("format") != "table" and legend in ("", "__auto"):
            yield f"{name}: no legend"
        unknown = set(re.findall(r"\{\{(\w+)\}\}", legend)) - promql.grouped_by(target.get("expr", ""))
        yield from (f"{name}: not grouped by {label}" for label in sorted(unknown))


def appearing_labels(target):
    """The labels of appearing series that the query groups by, unless it selects series that always exist."""
    listed = any(label in APPEARING and kind == "=~"
                 for one in selectors_of(target["expr"]) for label, kind, _ in one.matchers)
    return set() if listed else promql.grouped_by(target["expr"]) & APPEARING


def target_bounded(board):
    """The number of lines or rows is bounded, for any number of machines and commands."""
    for name, _, target in targets(board):
        ranking = target.get("expr", "").partition(" or (label_replace(")[0]  # without the row `none`
        expression = promql.without_totals(ranking)
        labels = promql.grouped_by(expression) & UNBOUNDED
        # A graph ranks series over the whole time range, since each step would have other top series.
        ranked = r"\band (topk|bottomk)\(\d+, .*@ end\(\)" if target.get("range") else r"\b(topk|bottomk)\(\d+, "
        listed = any(label == "comm" and kind == "=~" and "[" not in value and "*" not in value and "+" not in value
                     for one in selectors_of(expression) for label, kind, value in one.matchers)
        if labels and not listed and not re.search(ranked, expression):
            yield f"{name}: by {', '.join(sorted(labels))} without a topk"
        if selectors_of(expression) and not re.search(r"\b(sum|max|min|count) by \(", expression):
            yield f"{name}: one series for each machine"


RULES = {
    "stable-uid": stable_uid,
    "uneditable-dashboard": uneditable,
    "linked-dashboards": linked,
    "template-datasource-rule": template_datasource,
    "template-job-instance-rule": template_job_instance,
    "template-on-time-change-reload-rule": template_refresh,
    "template-label-promql-rule": template_query,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_unit,
    "panel-red": panel_red,
    "panel-text": panel_text,
    "panel-no-targets-rule": panel_targets,
    "grid": grid,
    "target-job-instance-rule": target_selects,
    "target-rate-interval-rule": target_rate_interval,
    "target-counter-agg-rule": target_counter,
    "target-instant": target_instant,
    "target-histogram-rule": target_histogram,
    "target-appearing-rule": target_appearing,
    "target-exporters-only": target_exporters_only,
    "fleet-records": fleet_records,
    "target-metric": target_metric,
    "target-label": target_label,
    "target-legend": target_legend,
    "target-bounded": target_bounded,
}


def lint(board):
    """Pairs of rule and fault."""
    return [(rule, fault) for rule, check in RULES.items() for fault in check(board)]


def main(files):
    found = 0
    for file in files:
        with open(file, encoding="utf-8") as text:
            for rule, fault in lint(json.load(text)):
                print(f"{file}: {rule}: {fault}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
