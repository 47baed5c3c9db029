"""Builds the parts of a dashboard: expressions, queries, panels, and the layout on Grafana's grid."""

import re

SELECTED = 'job=~"$job", instance=~"$instance"'
BAD = 'outcome!="success"'
EVENTS, LOST = "procevent_events_total", "procevent_events_lost_total"
BUILD = "procevent_exporter_build_info"
KNOWN = "instance:procevent_replayed:last"  # includes exporters that are down
NAMELESS = 'comm=~".(untracked processes|unattributed programs|processes without a name|groups beyond the limit)."'
MACHINE = "{{instance}}"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
PROVISIONED = {"text": "procevent", "value": "procevent-prometheus"}  # the data source of provisioning/datasources
WIDTH = 24  # of Grafana's grid
TEN_HIGHEST = "Shows the ten machines with the highest value."
TEN_LOWEST = "Shows the ten machines with the lowest value."
AVERAGED = "Each point is the highest five-minute average of its step."
FAILED = "with a status other than 0 or by a signal"  # what a failed exit is


# --- Units ---

def per_second(things):
    """A unit that Grafana scales by thousands: `1.2K forks/s`."""
    return f"count:{things}/s"


FORKS, PROGRAMS, THREADS, EXITS = map(per_second, ("forks", "programs", "threads", "exits"))
PER_MINUTE = "count:/min"


def _soft_max(unit):
    """The lowest end of an axis, which keeps zeros at the bottom."""
    return {"axisSoftMax": 0.01 if unit == "percentunit" else 1} if unit.startswith(("count:", "percentunit")) else {}


# --- Expressions ---

def of(name, *matchers):
    """The series of the metric for the selected jobs and instances."""
    return f"{name}{{{', '.join((SELECTED, *matchers))}}}"


def rate(name, *matchers):
    return f"rate({of(name, *matchers)}[$__rate_interval])"


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


def growth(label, name, *matchers):
    """The growth over the time range of series that appear within it.

    A series that did not exist when the time range began grew by its whole value, if the exporter ran then or started
    later. increase() would ignore the counts of the first page of an exporter, and extrapolate the others. Any other
    series grew by its increase."""
    by, row, at = f"by (job, instance, {label})", of(name, *matchers), "@ end()"
    known = (f"({of(BUILD)} offset $__range {at} or "
             f"{of('process_start_time_seconds')} {at} > $__from / 1000)")
    return (f"(max {by} ({row} {at}) unless max {by} ({row} offset $__range {at}) and on (job, instance) {known} "
            f"or sum {by} (increase({row}[$__range] {at})))")


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


def or_none(label, ranking, expression=None):
    """The ranked series, or a line or row `none` where the ranking is empty."""
    none = f'label_replace(0 * sum({of("procevent_up")}), "{label}", "none", "", "")'
    return f"({expression or ranking}) or ({none} unless on () {ranking})"


def top_or_none(count, label, expression):
    """Like top(), without series that are 0."""
    ranking = f"topk({count}, {overall(expression)} > 0)"
    return or_none(label, ranking, f"{expression} and {ranking}")


def or_zero(expression, known):
    """0 if the expression finds nothing and `known` has a value. Without a value of `known`: no result."""
    return f"({expression}) or 0 * {known}"


def share(part, whole):
    return f"{part} / ({whole} > 0)"


def named(nameless, everything):
    """The share of counts with a command's name."""
    return f"1 - {share(f'({or_zero(nameless, everything)})', everything)}"


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
    color = {"color": {"mode": "palette-classic"}, "thresholds": _steps("blue")}
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "gridPos": {"w": width}, "targets": queries, "options": options,
            "fieldConfig": {"defaults": {**color, "unit": unit, **defaults, "custom": custom or {}}, "overrides": []}}


def _steps(base, *pairs):
    """Thresholds. `base` is the color of an unknown value, and below the first pair."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in ((None, base), *pairs)]}


def override(panel, name, matcher="byName", **properties):
    """Gives the fields of that name properties that differ from the panel's."""
    panel["fieldConfig"]["overrides"].append(
        {"matcher": {"id": matcher, "options": name},
         "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]})
    return panel


# Pairs of a lower bound and the color from there on. Red is only for what needs action: dashboard_lint.py lists those
# panels.
NUMBER = ((0, "blue"),)
ALARM = ((0, "green"), (1, "red"))  # for counts that should be 0
NOTICE = ((0, "green"), (1, "orange"))  # for counts that are 0 as a rule
BUSY = ((0, "blue"), (500, "orange"))  # for forks per second; as ProceventForkStorm has it without a baseline
FULL = ((0, "blue"), (0.8, "orange"), (0.95, "red"))  # for shares of a limit
WHOLE = ((0, "red"), (0.99, "orange"), (1, "green"))  # for shares that should be 1
MOST = ((0, "orange"), (0.9, "blue"))  # for shares that should be near 1


def _last():
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(width, title, unit, description, expression, thresholds=NUMBER, **defaults):
    return _panel("stat", width, title, unit, description, [_now(expression, title)], {
        "reduceOptions": _last(), "orientation": "auto", "textMode": "value", "colorMode": "value", "graphMode": "none",
        "text": {"valueSize": 26}, "justifyMode": "auto", "wideLayout": True, "showPercentChange": False,
        "percentChangeColorMode": "standard"},
        **{"color": {"mode": "thresholds"}, "thresholds": _steps("text", *thresholds), "noValue": "unknown",
           **defaults})


def graph(width, title, unit, description, *targets, stacked=False, fill=0, maxima=False, positive=True, log=False,
          colors=(), limit=(), **defaults):
    """Lines over time. `maxima`: a table to the right lists the highest values. Without it the legend is a list below.
    `colors`: pairs of a line's name and its color. `limit`: thresholds, drawn as dashed lines."""
    place = {"displayMode": "table", "placement": "right"} if maxima else {"displayMode": "list", "placement": "bottom"}
    order = {"sortBy": "Max", "sortDesc": True} if maxima else {}
    custom = _soft_max(unit)
    if limit:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["thresholds"] = _steps("transparent", *limit[1:])
    if log:
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    panel = _panel("timeseries", width, title, unit, description, targets, {
        "legend": {**place, **order, "showLegend": True, "calcs": ["max"] if maxima else []},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": stacked}},
        {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 60 if stacked else fill,
         "gradientMode": "none", "showPoints": "auto", "pointSize": 3, "spanNulls": False,
         "stacking": {"mode": "normal" if stacked else "none", "group": "A"}, "axisPlacement": "auto", **custom},
        **({"min": 0} if positive and not log else {}), **defaults)
    for name, color in colors:
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return panel


def commands(width, title, unit, description, expression):
    """Stacked lines of commands. The reserved names, which are in brackets, are gray."""
    panel = graph(width, title, unit, description, line(expression, "{{comm}}"), stacked=True, maxima=True)
    return override(panel, r"/^\[/", "byRegexp", color={"mode": "fixed", "fixedColor": "#808080"})


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


def gauge(panel, name, **properties):
    """Draws a table's column as bars, the longest for the highest value of the column."""
    return override(panel, name, min=0, fieldMinMax=True, color={"mode": "continuous-BlPu"},
                    custom__cellOptions={"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"},
                    **properties)


def text(width, title, content):
    """A panel of Markdown."""
    return {"type": "text", "title": title, "gridPos": {"w": width},
            "options": {"mode": "markdown", "content": content}}


def table(width, title, unit, description, keys, columns, decimals=1, rising=False):
    """`keys`: labels with the names and widths of their columns. `columns`: names and expressions; the first ranks."""
    names = {f"Value #{chr(ord('A') + place)}": name for place, name in enumerate(columns)}
    if len(columns) == 1:
        names = {"Value": name for name in columns}
    order, heads = ["Time", *keys, *names], {label: name for label, (name, _) in keys.items()}
    panel = _panel("table", width, title, unit, description, [column(text) for text in columns.values()], {
        "frameIndex": 0, "showHeader": True, "cellHeight": "sm",
        "sortBy": [{"displayName": next(iter(columns)), "desc": not rising}]},
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


def _column(height, panels):
    """Panels with their heights and their distances from the top: one panel, or pairs of a height and a panel."""
    if isinstance(panels, dict):
        return [(height, 0, panels)]
    placed, y = [], 0
    for own, panel in panels:
        placed.append((own, y, panel))
        y += own
    if y != height:
        raise ValueError(f"a column of {y} lines beside panels of {height}")
    return placed


def _laid_out(rows):
    """The panels with their positions. A row is a title, then lines of a height and columns from left to right."""
    placed, y = [], 0
    for title, *lines in rows:
        placed.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        y += 1
        for height, *columns in lines:
            x = 0
            for column_of_panels in columns:
                for own, below, panel in _column(height, column_of_panels):
                    width = panel["gridPos"]["w"]
                    placed.append({**panel, "gridPos": {"h": own, "w": width, "x": x, "y": y + below}})
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
        _annotation("Events lost", "purple",
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
             "regex": "", "hide": 0, "multi": False, "includeAll": False, "skipUrlSync": False, "options": [],
             "current": PROVISIONED},
            *variables]},
        "annotations": {"list": annotations},
        "panels": _laid_out(rows)}
