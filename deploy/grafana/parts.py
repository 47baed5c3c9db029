"""Builds the parts of a dashboard: expressions, queries, panels, and the layout on Grafana's grid."""

import collections
import re

SELECTED = 'job=~"$job", instance=~"$instance"'
NAMED = 'comm!="[retired comms here]"'  # retired rows hold counts from before the time range
BAD = 'outcome!="success"'
EVENTS, LOST = "procevent_events_total", "procevent_events_lost_total"
NUMBERED = 'event!="ack"'  # the kernel does not number ACKs: they are no events that could be lost
FORKED = "instance_comm:procevent_forks:rate5m"
ENDED = "instance_comm_outcome:procevent_exits:rate5m"
BUILD = "procevent_exporter_build_info"
KNOWN = "instance:procevent_replayed:last"  # includes exporters that are down
MACHINE = "{{instance}}"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # of Grafana's grid
TEN_HIGHEST = "Shows the ten machines with the highest value."
TEN_LOWEST = "Shows the ten machines with the lowest value."
FAILED = "with a status other than 0 or by a signal"  # what a failed exit is
SOFT_MAX = {"eps": 1, "cps": 1, "mps": 1, "reqps": 1, "percentunit": 0.01}


# --- Expressions ---

def of(name, *matchers):
    """The series of the metric for the selected jobs and instances."""
    return f"{name}{{{', '.join((SELECTED, *matchers))}}}"


def rate(name, *matchers):
    return f"rate({of(name, *matchers)}[$__rate_interval])"


def lately(name, *matchers):
    """A rate for an instant query, where $__rate_interval would be hours if the time range is a month."""
    return f"rate({of(name, *matchers)}[{MINUTES.window}])"


def increase(name, *matchers):
    """The growth over the whole time range."""
    return f"increase({of(name, *matchers)}[$__range])"


def peak(name, *matchers):
    """The highest value of a gauge within a step, since the sample at the end of the step can miss it."""
    return f"max_over_time({of(name, *matchers)}[$__rate_interval])"


def recorded(series):
    """The highest value of a recorded series within a step."""
    return f"max_over_time({series}[$__interval])"


def overall(expression):
    """The expression over the whole time range: one value for each series of a graph."""
    whole = re.sub(r"max_over_time\(([^[]*)\[\$__interval\]", r"sum_over_time(\1[$__range] @ end()", expression)
    return whole.replace("[$__rate_interval]", "[$__range] @ end()").replace("rate(", "increase(")


def ours(expression):
    """Restricts series that every target has (`up`, `process_*`, `scrape_*`) to exporters, also those that are down."""
    return f"({expression} and on (job, instance) last_over_time({of(BUILD)}[$__range] @ end()))"


def each(expression):
    """One value for each exporter, even if other labels of its target changed."""
    return highest("job, instance", expression)


# A time window: range selector, length, start, and the modifier that evaluates it at its end.
Span = collections.namedtuple("Span", "window seconds began at")
MINUTES = Span("5m", "300", "time() - 300", "")  # the window of the recording rules
STEP = Span("$__rate_interval", "($__rate_interval_ms / 1000)", "time() - $__rate_interval_ms / 1000", "")
SHOWN = Span("$__range", "$__range_s", "$__from / 1000", " @ end()")


def growth(label, span, name, *matchers):
    """The growth of series that appear with their first count, which increase() ignores.

    A series that did not exist when the window began grew by its whole value, if the exporter ran then or started
    later. Any other series grew by its increase."""
    by, row, at = f"by (job, instance, {label})", of(name, *matchers), span.at
    known = (f"({of(BUILD)} offset {span.window}{at} or "
             f"{of('process_start_time_seconds')}{at} > {span.began})")
    return (f"(max {by} ({row}{at}) unless max {by} ({row} offset {span.window}{at}) and on (job, instance) {known} "
            f"or sum {by} (increase({row}[{span.window}]{at})))")


def total(by, expression):
    return f"sum by ({by}) ({expression})"


def highest(by, expression):
    return f"max by ({by}) ({expression})"


def top(count, expression, ranked=None):
    """For a graph: the `count` series that are highest over the time range."""
    return f"{expression} and topk({count}, {ranked or overall(expression)})"


def among(expression, ranking, by):
    """For a table column: only the rows that the first column has."""
    return f"{expression} and on ({by}) {ranking}"


def top_or_none(count, label, expression, ranked=None):
    """Like top(), without series that are 0. A line `none` replaces an empty result."""
    ranking = f"topk({count}, {ranked or overall(expression)} > 0)"
    none = f'label_replace(0 * sum({of("procevent_up")}), "{label}", "none", "", "")'
    return f"({expression} and {ranking}) or ({none} unless on () {ranking})"


def or_zero(expression, known):
    """0 if the expression finds nothing and `known` has a value. Without a value of `known`: no result."""
    return f"({expression}) or 0 * {known}"


def share(part, whole):
    return f"{part} / ({whole} > 0)"


# --- Queries ---

def line(expression, legend):
    step = {"interval": "1m"} if "[$__interval]" in expression else {}  # the interval of the recording rules
    return {"expr": expression, "legendFormat": legend, "format": "time_series", "range": True, "instant": False,
            **step}


def _now(expression, legend):
    return {"expr": expression, "legendFormat": legend, "format": "time_series", "range": False, "instant": True}


def column(expression):
    return {"expr": expression, "legendFormat": "__auto", "format": "table", "range": False, "instant": True}


def machines(expression):
    return line(top(10, expression), MACHINE)


def buckets(expression):
    return {"expr": expression, "legendFormat": "{{le}}", "format": "heatmap", "range": True, "instant": False}


# --- Panels: kind(width, title, unit, description, targets, ...) ---

def _panel(kind, width, title, unit, description, targets, options, custom=None, **defaults):
    queries = [{"refId": chr(ord("A") + place), "datasource": DATASOURCE, "editorMode": "code", "exemplar": False,
                **target} for place, target in enumerate(targets)]
    color = {"color": {"mode": "palette-classic"}, "thresholds": steps((None, "green"))}
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "gridPos": {"w": width}, "targets": queries, "options": options,
            "fieldConfig": {"defaults": {**color, "unit": unit, **defaults, "custom": custom or {}}, "overrides": []}}


def steps(*pairs):
    """Thresholds: pairs of a lower bound and the color from there on."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in pairs]}


def override(panel, name, **properties):
    """Gives the field of that name properties that differ from the panel's."""
    panel["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": name},
         "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]})
    return panel


# `text` is the color of an unknown value.
NUMBER = steps((None, "text"), (0, "blue"))
ALARM = steps((None, "text"), (0, "green"), (1, "red"))  # for counts that should be 0
FULL = steps((None, "green"), (0.8, "orange"), (0.95, "red"))  # for shares of a limit
WHOLE = steps((None, "text"), (0, "red"), (0.99, "orange"), (1, "green"))  # for shares that should be 1


def _last():
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(width, title, unit, description, expression, thresholds=NUMBER, **defaults):
    return _panel("stat", width, title, unit, description, [_now(expression, title)], {
        "reduceOptions": _last(), "orientation": "auto", "textMode": "value", "colorMode": "value", "graphMode": "none",
        "justifyMode": "auto", "wideLayout": True, "showPercentChange": False, "percentChangeColorMode": "standard"},
        color={"mode": "thresholds"}, thresholds=thresholds, noValue="unknown", **defaults)


def graph(width, title, unit, description, *targets, stacked=False, fill=0, table=(), positive=True, log=False,
          **defaults):
    """Lines over time. `table`: calculations in a legend to the right. Without it the legend is a list below."""
    place = {"displayMode": "table", "placement": "right"} if table else {"displayMode": "list", "placement": "bottom"}
    order = {"sortBy": table[0].capitalize(), "sortDesc": True} if table else {}
    custom = {"axisSoftMax": SOFT_MAX[unit]} if unit in SOFT_MAX else {}  # keeps zeros at the bottom
    if log:
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    return _panel("timeseries", width, title, unit, description, targets, {
        "legend": {**place, **order, "showLegend": True, "calcs": list(table)},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": stacked}},
        {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 60 if stacked else fill,
         "gradientMode": "none", "showPoints": "auto", "pointSize": 3, "spanNulls": False,
         "stacking": {"mode": "normal" if stacked else "none", "group": "A"}, "axisPlacement": "auto", **custom},
        **({"min": 0} if positive and not log else {}), **defaults)


def quantiles(width, title, what, metric):
    return graph(width, title, "s",
                 f"The 50th, 90th and 99th percentile of {what}, interpolated within a histogram bucket.",
                 *(line(f"histogram_quantile({part}, {total('le', rate(metric))})", f"{round(part * 100)}th percentile")
                   for part in (0.99, 0.9, 0.5)), log=True)


def bars(width, title, unit, description, expression, **defaults):
    """A bar with the current value of each machine."""
    return _panel("bargauge", width, title, unit, description, [_now(expression, MACHINE)], {
        "reduceOptions": _last(), "orientation": "horizontal", "displayMode": "gradient", "valueMode": "color",
        "namePlacement": "auto", "showUnfilled": True, "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16,
        "maxVizHeight": 40,
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []}},
        **{"color": {"mode": "continuous-BlPu"}, "min": 0, **defaults})


def heatmap(width, title, unit, description, expression):
    return _panel("heatmap", width, title, unit, description, [buckets(expression)], {
        "calculate": False, "cellGap": 0, "showValue": "never", "filterValues": {"le": 1e-9}, "legend": {"show": True},
        "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False}, "rowsFrame": {"layout": "auto"},
        "color": {"mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "scale": "exponential", "exponent": 0.5,
                  "steps": 64, "reverse": False},
        "cellValues": {"unit": "short"}, "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
        "exemplars": {"color": "rgba(255,0,255,0.7)"}})


def table(width, title, unit, description, keys, columns, decimals=1):
    """`keys`: labels with the names and widths of their columns. `columns`: names and expressions; the first ranks."""
    names = {f"Value #{chr(ord('A') + place)}": name for place, name in enumerate(columns)}
    if len(columns) == 1:
        names = {"Value": name for name in columns}
    order, heads = ["Time", *keys, *names], {label: name for label, (name, _) in keys.items()}
    panel = _panel("table", width, title, unit, description, [column(text) for text in columns.values()], {
        "frameIndex": 0, "showHeader": True, "cellHeight": "sm",
        "sortBy": [{"displayName": next(iter(columns)), "desc": True}]},
        {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 80}, decimals=decimals)
    for name, size in keys.values():
        override(panel, name, custom__width=size)
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {**heads, **names},
                                       "indexByName": {name: place for place, name in enumerate(order)}}}]
    return panel


# --- Dashboards ---

def _variable(name, query):
    return {"type": "query", "name": name, "label": name.capitalize(), "datasource": DATASOURCE, "refresh": 2,
            "sort": 1, "query": {"query": query, "refId": f"variable-{name}", "qryType": 1},
            "hide": 0, "multi": True, "includeAll": True, "allValue": ".+", "regex": "",
            "skipUrlSync": False, "options": [], "current": {"text": ["All"], "value": ["$__all"]}}


def to_machine(job, instance):
    """A link to the dashboard of fork storms of one machine, with the same time range."""
    return [{"title": "Fork storms of this machine", "targetBlank": False,
             "url": f"/d/procevent-fork-storms?var-datasource=${{datasource}}&var-job={job}&var-instance={instance}"
                    "&${__url_time_range}"}]


def _annotation(name, color, expression, text):
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color,
            "target": {"refId": "Anno", "expr": expression, "interval": "60s"}, "titleFormat": name,
            "textFormat": text, "tagKeys": "instance", "useValueForTime": False}


def _within_minutes(function, name):
    return f"{function}({of(name)}[2m])"  # annotations have no $__rate_interval


def _laid_out(rows):
    """The panels with their positions. A row is a title, then lines of a height and panels from left to right."""
    placed, y = [], 0
    for title, *lines in rows:
        placed.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        y += 1
        for height, *panels in lines:
            x = 0
            for panel in panels:
                width = panel["gridPos"]["w"]
                placed.append({**panel, "gridPos": {"h": height, "w": width, "x": x, "y": y}})
                x += width
            y += height
    return [{"id": number, **panel} for number, panel in enumerate(placed, 1)]


def _annotations():
    started = f"{_within_minutes('changes', 'process_start_time_seconds')} > 0 and on (job, instance) {of(BUILD)}"
    return [
        _annotation("Exporter started", "blue", started, "{{instance}}: the exporter was started"),
        _annotation("Subscription restarted", "orange",
                    f'{_within_minutes("increase", "procevent_subscription_restarts_total")} > 0',
                    "{{instance}}: new subscription, reason {{reason}}"),
        _annotation("Events lost", "red",
                    f'sum by (instance) ({_within_minutes("increase", "procevent_events_lost_total")}) > 0',
                    "{{instance}}: events were lost")]


def dashboard(uid, title, description, *rows, fleet=False):
    """A dashboard of selected instances, or with `fleet` of all instances of selected jobs."""
    if fleet:
        variables, annotations = [_variable("job", "label_values(job:procevent_events:rate5m, job)")], []
    else:
        variables = [_variable("job", f"label_values({KNOWN}, job)"),
                     _variable("instance", f'label_values({KNOWN}{{job=~"$job"}}, instance)')]
        annotations = _annotations()
    return {
        "uid": uid, "title": title, "description": description, "tags": ["procevent"], "schemaVersion": 39,
        "version": 1, "editable": False, "graphTooltip": 1, "timezone": "", "fiscalYearStartMonth": 0, "weekStart": "",
        "liveNow": False, "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timepicker": {},
        "links": [{"type": "dashboards", "title": "procevent", "tags": ["procevent"], "asDropdown": False,
                   "icon": "dashboard", "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "",
                   "url": ""}],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
             "regex": "", "hide": 0, "multi": False, "includeAll": False, "skipUrlSync": False, "options": []},
            *variables]},
        "annotations": {"list": annotations},
        "panels": _laid_out(rows)}
