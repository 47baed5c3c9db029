"""Generates changes of the rules that a rule test must detect: of thresholds, windows and guards."""

import json
import re

import yaml
from rule_cases import DEPLOYED, generated
from rule_files import CASES, RULES, alerts, recorded, text_of

UP = "and on (job, instance)\n            instance:procevent_exporter_up:max"
PEAK = "instance:procevent_forks_peak:max"
TOP = (("topk", "bottomk"), ("job=%q", "job!=%q"), (r"\\[.+ .+\\]", "x"))  # of a text's top command
EXCLUDED = "instance_comm_list:procevent_crash_loop_excluded:group"  # recorded by several rules

# By rule: one or more prefixes of its tests' names, and replacements, each made at the first occurrence of the text.
CHANGES = {
    "instance:procevent_replayed:last": ("ProceventDown", (
        ("[1h]", "[30m]"), ("[1h]", "[2h]"), ("and on (job, instance) up", ""), ('{job="procevent"}', ""),
        ('or\n            0 * max by (job, instance) (up{job="procevent"})', ""))),
    "instance:procevent_exporter_up:max": ("ProceventDown", (("== 0", ">= 0"), ("max by", "min by"))),
    "ProceventAbsent": ("ProceventAbsent", (
        ("instance:procevent_replayed:last", "instance:procevent_exporter_up:max"),
        ("instance:procevent_replayed:last", 'up{job="procevent"}'))),
    "ProceventRestarts": ("ProceventRestarts", ((">= 3", ">= 2"), (">= 3", ">= 4"), (UP, ""))),
    "instance:procevent_restarts:changes1h": ("ProceventRestarts", (
        ("[1h]", "[58m]"), ("[1h]", "[63m]"), ("1 + ", ""),
        ("and on (job, instance)\n            instance:procevent_replayed:last", ""))),
    "ProceventNotSubscribed": ("ProceventNotSubscribed", (("max by", "min by"), (UP, ""))),
    "ProceventManyDown": ("ProceventManyDown", (
        ("0.05", "0.04"), ("0.05", "0.06"), (", 2)", ", 1)"), (", 2)", ", 3)"), ("|ProceventNotSubscribed", ""),
        (', alertstate="firing"', ""))),
    "ProceventEventsLost": ("ProceventEventsLost", (
        ("lost_total[15m])) > 0", "lost_total[15m])) > 0.5"), ("lost_total[15m]", "lost_total[14m]"),
        ("lost_total[15m]", "lost_total[16m]"), ("drops_total[15m])) > 0", "drops_total[15m])) > 0.5"),
        ("drops_total[15m]", "drops_total[14m]"), ("drops_total[15m]", "drops_total[16m]"),
        ("exact == 0", "exact >= 0"), (UP, ""))),
    "ProceventIncomplete": ("ProceventIncomplete", (
        ("0.999", "0.9991"), ("0.999", "0.9989"), ("< 3", "< 2"), ("< 3", "< 4"),
        ("or\n                1 + 0 * instance:procevent_stopped:ratio_avg1h", ""))),
    "ProceventGroupOverflow": ("ProceventGroupOverflow", (
        ("> 0", "> 0.5"), ("[1h]", "[59m]"), ("[1h]", "[61m]"), (UP, ""))),
    "ProceventNamesUnresolved": ("ProceventNamesUnresolved", (
        ("< 0.5", "<= 0.5"), ("< 0.5", "< 0.49"), (">= 1", ">= 0.95"), (">= 1", ">= 1.05"), (UP, ""))),
    "ProceventForkStorm": ("ProceventForkStorm", (
        ("200", "199"), ("200", "201"), ("2000", "1999"), ("2000", "2001"), ("500", "499"), ("500", "501"),
        ("5 *", "4.99 *"), ("5 *", "5.02 *"), ("[2m]", "[1m]"), ("[2m]", "[3m]"),
        (f"max_over_time({PEAK}[2m])", PEAK), (f"0 * max_over_time({PEAK}[2m])", f"0 * {PEAK}"), (UP, ""),
        *TOP)),
    "ProceventThreadStorm": ("ProceventThreadStorm", (
        ("1000", "998"), ("1000", "1003"), (UP, ""), *TOP)),
    "ProceventCrashLoop": ("ProceventCrashLoop", (
        (">= 1", ">= 0.8"), (">= 1", ">= 1.2"), ("> 0.5", ">= 0.5"), ("> 0.5", "> 0.53"), (r"\\[.+ .+\\]", "x"),
        (r"\\[.+ .+\\]", r"\\[.+\\]"), ('outcome!="success",', ""), (UP, ""),
        ("unless on (job, instance, comm)", "unless on (job, comm)"))),
    "ProceventCoreDumps": ("ProceventCoreDumps", (
        ("> 0", "> 0.5"), ("[15m]", "[14m]"), ("[15m]", "[16m]"), ('{event="coredump"}', ""), (UP, ""),
        *TOP, (r"\\[.+ .+\\]", r"\\[.+\\]"))),
    "ProceventPidWrap": ("ProceventPidWrap", (("900", "897"), ("900", "903"), (UP, ""))),
    "instance:procevent_pid_wrap_seconds:rate15m": ("ProceventPidWrap", (("[15m]", "[10m]"), ("[15m]", "[20m]"))),
    "instance:procevent_events_lost:rate5m": ("a new pod", (("[5m]", "[4m]"), ("[5m]", "[10m]"))),
    **{f"{record}:rate5m": (("series that appear", "a busy instance"), (
        ("[5m]", "[4m]"), ("[5m]", "[6m]"), (" > 0", "")))
       for record in ("instance_comm:procevent_forks", "instance_comm:procevent_threads_started",
                      "instance_comm:procevent_execs", "instance_comm_outcome:procevent_exits")},
    "instance_comm:procevent_coredumps:increase15m": ("series that appear", (
        ("[15m]", "[14m]"), ("[15m]", "[16m]"), (" > 0", ""))),
    **{f"instance:procevent_{name}:rate5m": (("a busy instance", "an exporter of version 0.1"), (
        (f"host_{name}", name), ("\n            + 0 * instance:procevent_events_lost:rate5m", ""),
        (f"sum by (job, instance) (rate(procevent_host_{name}_total[5m]))\n            + ", "")))
       for name in ("forks", "threads_started", "execs", "exits")},
    "instance:procevent_failures:rate5m": ("a busy instance", (
        ('{outcome!="success"}', ""), ('"success"', '"signal"'),
        ("and\n            instance:procevent_exits:rate5m", ""))),
    "instance:procevent_named:ratio_rate15m": ("a busy instance", (
        ('{source="unattributed"}', ""), ('"unattributed"', '"proc"'), ("> 0", ">= 0"))),
    PEAK: ("a ", (
        ('max by (job, instance) (procevent_forks_peak_per_second{window="1s"})\n            + ', ""),
        ('{window="1s"}', ""))),
    "instance:procevent_loss:ratio_rate1h": ("completeness", (
        ("lost_total[1h]", "lost_total[30m]"), ("events_total[1h]", "events_total[30m]"))),
    "instance:procevent_unsubscribed:ratio_rate1h": ("completeness", ((", 1)", ", 2)"), ("[1h]", "[30m]"))),
    "instance:procevent_unseen_clones:ratio_rate1h": ("completeness", (
        (",\n            1\n", ",\n            2\n"), ("unseen_clones_total[1h]", "unseen_clones_total[30m]"),
        ("kernel_clones_total[1h]", "kernel_clones_total[30m]"))),
    "instance:procevent_stopped:ratio_avg1h": ("completeness", (
        ("> 0", ">= 0"), ("[5m]", "[4m]"), ("[5m]", "[6m]"), ("[1h]", "[50m]"))),
    "instance:procevent_completeness:ratio_rate1h": ("completeness", (
        ("> instance:procevent_unsubscribed", "< instance:procevent_unsubscribed"), ("offset 1h", "offset 30m"),
        ("or\n                1 + 0 * sum by (job, instance) (rate(procevent_events_lost_total[1h]))", ""))),
    "instance:procevent_forks_peak:median1d": ("the baseline", (
        ("[1d]", "[12h]"), ("[1d]", "[20h]"), ("offset 1h", "offset 30m"), ("0.5", "0.4"), ("0.5", "0.6"),
        (">= 300", ">= 299"), (">= 300", ">= 301"), ("offset 1h) >=", "offset 2h) >="))),
    **{f"{record}:topk{most}_rate5m": ("tops", (
        (f"({most}", f"({most - 1}"), (f"({most}", f"({most + 1}"), (f"({most}", "(20"), ("topk by (job)", "topk")))
       for record, most in (("job_comm:procevent_forks", 200), ("job_comm:procevent_execs", 200),
                            ("job_instance_comm:procevent_forks", 100),
                            ("job_comm:procevent_threads_started", 100))},
    "job_comm:procevent_failures:topk100_rate5m": ("tops", (
        ("100", "99"), ("100", "101"), ("100", "20"), ("topk by (job)", "topk"))),
}


def all_changes():
    """Rule, prefix of the tests' names, old text and new text, for each change."""
    for rule, (tests, changes) in CHANGES.items():
        yield from ((rule, tests, old, new) for old, new in changes)
    for alert in alerts():
        if "for" in alert:
            minutes = int(alert["for"][:-1])
            yield from ((alert["alert"], alert["alert"], f"for: {minutes}m", f"for: {other}m")
                        for other in (minutes - 1, minutes + 1))
    for rule in recorded():
        if rule["record"] == EXCLUDED:
            names = re.search(r'comm=~"(.*)"', rule["expr"])[1].split("|")
            yield from ((EXCLUDED, "ProceventCrashLoop, excluded", "|".join(names),
                         "|".join(names[:place] + ["x"] + names[place + 1:])) for place in range(len(names)))


def changed(rule, old, new):
    """The name of the file with this rule, and its text after the change. Several rules may record the same name."""
    for name in RULES:
        text = text_of("deploy", "prometheus", name)
        for found in re.finditer(rf"(?ms): {re.escape(rule)}$.*?(?=\n      - (?:alert|record): |\Z)", text):
            if old in found[0]:
                return name, text[:found.start()] + found[0].replace(old, new, 1) + text[found.end():]
    raise ValueError(f"{rule} does not have {old}")


def mutants(directory):
    """Writes the mutated rules and their tests to the directory. Returns descriptions, rules and test files."""
    files = [yaml.safe_load(case.read_text(encoding="utf-8")) for case in CASES] + generated()
    found = []
    for number, (rule, tests, old, new) in enumerate(all_changes()):
        name, text = changed(rule, old, new)
        rules = directory / f"{number}.rules.yml"
        rules.write_text(text, encoding="utf-8")
        test_files = []
        for content in files:
            chosen = [test for test in content["tests"] if test["name"].startswith(tests)]
            used = [base.rpartition("/")[2] for base in content["rule_files"]]
            if chosen and name in used:
                test_files.append(directory / f"{number}-{len(test_files)}.test.yml")
                used = [str(rules if base == name else DEPLOYED / base) for base in used]
                test_files[-1].write_text(json.dumps({**content, "tests": chosen, "rule_files": used}),
                                          encoding="utf-8")
        found.append((f"{rule}: {old!r} -> {new!r}", rules, test_files))
    return found
