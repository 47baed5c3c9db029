"""The rules of deploy/prometheus, read; and what is wrong with them, beside README.md, the catalogue of metrics and the
tests of promtool (rules/)."""

import collections
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
ALERTS = {"alertname", "alertstate"}  # labels of what Prometheus records of alerts
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SLOWEST_SCRAPE = 60  # seconds between scrapes; a window has room for four


def run_promtool(*arguments, seconds=300):
    """How it ended and what it printed; `seconds` are of a busy machine."""
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
    """What the tests of promtool expect: of an alert the lists of alerts, of a record the lists of samples."""
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
    """The labels that a recorded series has, by its name; of an instance, also all that its target has."""
    labels = set(record.split(":")[0].split("_"))
    return (labels - {"instance"}) | (TARGET if "instance" in labels else set())


def seconds(duration):
    return int(duration[:-1]) * UNIT_SECONDS[duration[-1]]


# --- Faults, each a line. ---

def faults_of_alert(rule, readme, tested):
    name, notes = rule["alert"], rule.get("annotations", {})
    if not re.fullmatch(r"Procevent[A-Z]\w+", name):
        yield "its name does not begin with Procevent"
    if rule.get("labels", {}).get("severity") not in SEVERITIES:
        yield "it has no severity"
    if set(notes) != {"summary", "description", "runbook_url"}:
        yield "it has not just a summary, a description and a runbook_url"
        return
    named = re.search(r"\$labels\.(instance|job)\b", notes["summary"]) or "absent(" in rule["expr"]
    if "\n" in notes["summary"] or not named:
        yield "its summary is not one line that names the instance, or the job"
    if not notes["description"].endswith("."):
        yield "its description is no sentence"
    if notes["runbook_url"] != f"README.md#{name.lower()}" or not re.search(rf"(?m)^### {name}$", readme):
        yield "README.md has no runbook for it"
    if not any(tested[name]):
        yield "no test lets it fire"
    if all(tested[name]):
        yield "no test keeps it from firing"


def faults_of_expression(rule, names, records):
    asked = promql.selectors(rule["expr"])
    allowed = set.union(TARGET, *(metric.labels for metric in names.values()))
    yield from (f"label {label} is of no metric" for label in sorted(promql.grouped_by(rule["expr"]) - allowed))
    if re.search(r"\bwithout\b", rule["expr"]):
        yield "it keeps labels of the target that may change"
    yield from (f"{one.range} has no room for four scrapes" for one in asked
                if one.range and ":" not in one.metric and seconds(one.range) < 4 * SLOWEST_SCRAPE)
    yield from (f"{one.metric} is no counter" for one in asked if one.function in ("rate", "increase") and
                (one.metric not in names or names[one.metric].kind != "Counter"))
    for one in asked:
        if one.metric in names:
            labels = names[one.metric].labels | TARGET
        elif one.metric in records:
            labels = level(one.metric)
        elif one.metric in catalogue.FROM_PROMETHEUS:
            labels = TARGET
        elif one.metric == "ALERTS":
            labels = TARGET | ALERTS
        else:
            yield f"nobody serves {one.metric}"
            continue
        yield from (f"{one.metric} has no label {label}" for label, _, _ in one.matchers if label not in labels)


def faults_of_record(rule, group, readme, tested):
    name = rule["record"]
    if not re.fullmatch(r"[a-z_]+:procevent_[a-z_]+:[a-z0-9_]+", name):
        yield "its name is not level:metric:operation"
    if not any(tested[name]):
        yield "no test knows its value"
    if not re.search(rf"(?m)^\| `{name}` \|", readme):
        yield "README.md does not have it in a table"
    if (group == FLEET) != name.startswith("job"):
        yield "it is in the other group"
    if group == FLEET:
        raw = [one.metric for one in promql.selectors(rule["expr"]) if ":" not in one.metric]
        yield from (f"it asks the raw {metric} of all instances" for metric in raw)
        if level(name) != {"job"} and "topk" not in rule["expr"]:
            yield "nothing bounds it"
