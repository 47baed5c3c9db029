"""Reads the rules of deploy/prometheus, and checks them against the pages of docs/, the metric catalogue, and the tests
of promtool (rules/)."""

import collections
import contextlib
import re
import subprocess

import catalogue
import promql
import yaml
from catalogue import ROOT, TARGET

RECORDING = ("recording.rules.yml", "fleet.rules.yml")
RULES = (*RECORDING, "alerts.rules.yml")
CASES = sorted((ROOT / "tests" / "deploy" / "rules").glob("*.test.yml"))
SEVERITIES = {"critical", "warning", "info"}
FLEET = "procevent-fleet"
RUNBOOKS = "docs/alerts.md"
TABLES = "docs/recording-rules.md"
ALERTS = {"alertname", "alertstate"}  # labels of Prometheus' series ALERTS
# Files that name metrics. The upgrade guide also has the names of earlier versions.
NAMING = ("README.md", "CONTRIBUTING.md", "docs/*.md", "deploy/**/*", "tests/deploy/rules/*.yml")
WITH_OLD_NAMES = {"upgrading.md"}
# Programs, images, and the zone of nginx's site.
NO_METRICS = {"procevent_exporter", "procevent_exporters", "procevent_test", "procevent_exporter_connections"}
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_SCRAPE_INTERVAL = 60  # seconds; a window must contain four scrapes


def run_promtool(*arguments, seconds=300):
    """Exit code and output. `seconds` is a timeout for a busy machine."""
    done = subprocess.run(["promtool", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
    return done.returncode, done.stdout


def promtool(*arguments):
    code, printed = run_promtool(*arguments)
    if code != 0:
        raise AssertionError(f"promtool {' '.join(map(str, arguments))}: exit {code}:\n{printed}")
    return printed


def text_of(*path):
    return ROOT.joinpath(*path).read_text(encoding="utf-8")


def groups(rules=RULES):
    return [group for name in rules for group in yaml.safe_load(text_of("deploy", "prometheus", name))["groups"]]


def all_rules():
    return [rule for group in groups() for rule in group["rules"]]


def alerts():
    return [rule for rule in all_rules() if "alert" in rule]


def recorded():
    return [rule for rule in all_rules() if "record" in rule]


def cases():
    """The expectations of promtool's tests: lists of alerts by alert name, lists of samples by record name."""
    found = collections.defaultdict(list)
    for file in CASES:
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for case in test.get("alert_rule_test", []):
                found[case["alertname"]].append(case["exp_alerts"])
            for case in test.get("promql_expr_test", []):
                for selector in promql.selectors(case["expr"]):
                    found[selector.metric].append(case["exp_samples"])
    return found


def level(record):
    """The labels of a recorded series according to its name. A level `instance` includes the target's labels."""
    labels = set(record.split(":")[0].split("_"))
    return (labels - {"instance"}) | (TARGET if "instance" in labels else set())


def seconds(duration):
    return int(duration[:-1]) * UNIT_SECONDS[duration[-1]]


def naming_texts():
    """The text of each file that names metrics, by path."""
    found = {}
    for path in sorted(path for pattern in NAMING for path in ROOT.glob(pattern)):
        if path.is_file() and path.name not in WITH_OLD_NAMES:
            with contextlib.suppress(UnicodeDecodeError):  # a picture or a capture
                found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    return found


# --- Checks. Each yields one line for each fault. ---

def faults_of_alert(rule, runbooks, tested):
    name, notes = rule["alert"], rule.get("annotations", {})
    if not re.fullmatch(r"Procevent[A-Z]\w+", name):
        yield "name does not begin with Procevent"
    if rule.get("labels", {}).get("severity") not in SEVERITIES:
        yield "no valid severity"
    if set(notes) != {"summary", "description", "runbook_url"}:
        yield "annotations are not summary, description and runbook_url"
        return
    named = re.search(r"\$labels\.(instance|job)\b", notes["summary"]) or "absent(" in rule["expr"]
    if "\n" in notes["summary"] or not named:
        yield "summary is not one line that names the instance or the job"
    if not notes["description"].endswith("."):
        yield "description is no sentence"
    if notes["runbook_url"] != f"{RUNBOOKS}#{name.lower()}" or not re.search(rf"(?m)^### {name}$", runbooks):
        yield f"no runbook in {RUNBOOKS}"
    if not any(tested[name]):
        yield "no test expects it to fire"
    if all(tested[name]):
        yield "no test expects it not to fire"


def faults_of_expression(rule, names, records):
    selected = promql.selectors(rule["expr"])
    allowed = set.union(TARGET, *(metric.labels for metric in names.values()))
    yield from (f"no metric has a label {label}" for label in sorted(promql.grouped_by(rule["expr"]) - allowed))
    if re.search(r"\bwithout\b", rule["expr"]):
        yield "`without` keeps target labels that may change"
    yield from (f"{one.range} is too short for four scrapes" for one in selected
                if one.range and ":" not in one.metric and seconds(one.range) < 4 * MAX_SCRAPE_INTERVAL)
    yield from (f"{one.metric} is no counter" for one in selected if one.function in ("rate", "increase") and
                (one.metric not in names or names[one.metric].kind != "Counter"))
    for one in selected:
        if one.metric in names:
            labels = names[one.metric].labels | TARGET
        elif one.metric in records:
            labels = level(one.metric)
        elif one.metric in catalogue.FROM_PROMETHEUS:
            labels = TARGET
        elif one.metric == "ALERTS":
            labels = TARGET | ALERTS
        else:
            yield f"metric {one.metric} does not exist"
            continue
        yield from (f"{one.metric} has no label {label}" for label, _, _ in one.matchers if label not in labels)


def faults_of_record(rule, group, tables, tested):
    name = rule["record"]
    if not re.fullmatch(r"[a-z_]+:procevent_[a-z_]+:[a-z0-9_]+", name):
        yield "name is not level:metric:operation"
    if not any(tested[name]):
        yield "no test expects a value"
    if not re.search(rf"(?m)^\| `{name}` \|", tables):
        yield f"not in a table of {TABLES}"
    if (group == FLEET) != name.startswith("job"):
        yield "in the wrong group"
    if group == FLEET:
        raw = [one.metric for one in promql.selectors(rule["expr"]) if ":" not in one.metric]
        yield from (f"queries the raw series {metric} of all instances" for metric in raw)
        if level(name) != {"job"} and "topk" not in rule["expr"]:
            yield "unbounded: no topk"


def faults_of_names(text, names, records):
    """Metrics and records that the text names and that do not exist. A name that ends with `_` stands for a family."""
    record = r"(?<![\w:])\w+:procevent_\w+:\w+"
    yield from (f"{name} does not exist" for name in sorted(set(re.findall(record, text)) - records))
    histograms = {re.sub("_bucket$", "", name) for name, metric in names.items() if "le" in metric.labels}
    known = set(names) | histograms | NO_METRICS
    for name in sorted(set(re.findall(r"(?<![\w/.:-])procevent_\w+", re.sub(record, "", text))) - known):
        if not (name.endswith("_") and any(one.startswith(name) for one in known)):
            yield f"{name} does not exist"


def old_names(guide, names):
    """Patterns of the names in the first columns of the upgrade guide: metrics, labels, values, keys and records."""
    first = "\n".join(re.findall(r"(?m)^\| (`.*?`) \| ", guide))
    written = dict.fromkeys(re.findall(r'`([a-zA-Z][\w.:*]*)(?:\{(\w+)(?:="(.*?)")?\})?`', first))
    for metric, label, value in written:
        if not label and metric in names:
            continue  # it kept its name
        if not label:
            yield rf"(?<![\w.:]){re.escape(metric)}(?!\w|[.:]\w)"
        elif "*" in metric:
            yield re.escape(value)
        elif value or metric not in names or label not in names[metric].labels:
            yield rf'(?<!\w){metric}\{{[^}}]*\b{label}\b' + (f'!?="{re.escape(value)}"' if value else "")


def faults_of_old_names(text, old):
    yield from (f"{found[0]!r} is an old name" for pattern in old for found in re.finditer(pattern, text))
