"""Generates promtool's tests of fleets, which are too long to write. Each function returns the content of a file."""

import itertools
import random

from catalogue import ROOT
from rule_files import RULES, groups

DEPLOYED = ROOT / "deploy" / "prometheus"
COMMANDS = 210  # more than any of the top lists holds
BOUND = 14 + 2 * 200 + 4 * 100  # recorded series of one job
TOPS = {"job_comm:procevent_forks:topk200_rate5m": 200, "job_comm:procevent_execs:topk200_rate5m": 200,
        "job_instance_comm:procevent_forks:topk100_rate5m": 100,
        "job_comm:procevent_threads_started:topk100_rate5m": 100, "job_comm:procevent_failures:topk100_rate5m": 100,
        "job_comm:procevent_failures:ratio_rate5m": 100}
RATIO = "job_comm:procevent_failures:ratio_rate5m"  # of the series of the next
FAILURES = "job_comm:procevent_failures:topk100_rate5m"
BY_COMMAND = (("forks", ""), ("execs", ""), ("threads_started", ""), ("exits", ', outcome="failure"'))


# Names that ProceventCrashLoop leaves out: one for each alternative of a list of recording.rules.yml.
EXCLUDED = """[ test expr false cmp diff zdiff grep egrep rg getent which
    fuser killall lsof mountpoint pidof pkill systemctl
    conntrack curl dig host ip iptables ip6tables-legac ipset nc nft nslookup ping ping6 tc xtables-nft-mul
    flock inotifywait sleep tail timeout
    apt apt-get aptitude dpkg dpkg-deb rpm dnf yum zypper pacman apk snap pip pip3 gem
    make gmake ninja cmake meson configure conftest conftest.exe cc cc1 cc1plus as ld ld.gold collect2 ar
    g++-12 c++ gcc gcc-12 x86_64-linux-gn clang-15 go cargo cargo-build rustc javac mvn gradle
    ctest pytest pytest-3 py.test tox git git-remote-http""".split() + ["npm", "npm run build"]


def file_of(tests, rules=RULES, interval="1m"):
    return {"rule_files": [str(DEPLOYED / name) for name in rules], "evaluation_interval": interval,
            "group_eval_order": [group["name"] for group in groups(rules)], "tests": tests}


def series_test(name, series, expected, at):
    """`series`: values by series. `expected`: the single value of each expression."""
    return {"name": name, "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [{"expr": expression, "eval_time": at,
                                  "exp_samples": [{"labels": "{}", "value": value}] if value else []}
                                 for expression, value in expected.items()]}


def rows(target):
    return [f'procevent_{metric}_total{{{target}, comm="{comm}"{more}}}' for comm in range(COMMANDS)
            for metric, more in BY_COMMAND]


def few_series():
    """Two jobs of three instances, with COMMANDS commands on each."""
    series = {}
    for node in range(6):
        target = f'job="{node % 2}", instance="{node}"'
        series |= {f"up{{{target}}}": "1x66", f"procevent_replayed{{{target}}}": "0x66"}
        series |= dict.fromkeys((
            f"procevent_pid_max{{{target}}}", f"procevent_unsubscribed_seconds_total{{{target}}}",
            f'procevent_forks_peak_per_second{{{target}, window="1s"}}',
            *(f"procevent_host_{name}_total{{{target}}}" for name in ("forks", "threads_started", "execs")),
            f'procevent_host_exits_total{{{target}, outcome="failure"}}',
            f'procevent_events_total{{{target}, event="fork"}}', f'procevent_events_lost_total{{{target}, cpu="0"}}',
            *rows(target)), "0+60x66")
    expected = {'count({__name__=~"job.*:procevent_.*"})': 2 * BOUND,
                "count(instance_comm:procevent_forks:rate5m)": 6 * COMMANDS}
    return file_of([series_test("a fleet has few series", series, expected, "65m")], RULES[:2], "5m")


def bounded_tops():
    series = dict.fromkeys((row for node in range(2) for row in rows(f'job="{node}", instance="a"')), "0+60x10")
    expected = {f"count({top})": 2 * most for top, most in TOPS.items()}
    return file_of([series_test("tops are bounded", series, expected, "10m")], RULES[:2], "10m")


def steady_tops():
    """120 instances with rates that vary by half from minute to minute. The first 20 were in the top list at each
    minute of the half hour."""
    some = random.Random(1)
    series = {}
    for node in range(120):
        for metric, more in BY_COMMAND:
            counts = itertools.accumulate(60000 / (10 + node) * some.uniform(0.5, 1.5) for _ in range(41))
            series[f'procevent_{metric}_total{{job="a", instance="{node}", comm="{node}"{more}}}'] = " ".join(
                f"{count:.0f}" for count in counts)
    expected = {f"min(count_over_time({top}[30m]) and topk(20, {top}))": 31 for top in TOPS if top != RATIO}
    expected[f"min(count_over_time({RATIO}[30m]) and topk(20, {FAILURES}))"] = 31
    return file_of([series_test("tops are steady", series, expected, "40m")], RULES[:2])


def many_down():
    """Three of 60 instances are 5 %, three of 59 are more."""
    series = {}
    for job in (60, 59):
        for node in range(job):
            target = f'job="{job}", instance="{node}"'
            series[f"up{{{target}}}"] = "1x4 0x20" if node < 3 else "1x24"
            series[f"procevent_replayed{{{target}}}"] = "0x4 stale" if node < 3 else "0x24"
    expected = {f'count(ALERTS{{alertname="ProceventManyDown", alertstate="firing", job="{job}"}})': value
                for job, value in ((59, 1), (60, 0))}
    return file_of([series_test("ProceventManyDown with many instances", series, expected, "20m")])


def excluded_commands():
    series = {'up{job="procevent", instance="node"}': "1x60"}
    for number, name in enumerate(EXCLUDED):
        labels = f'job="procevent", instance="node", comm="{name}", outcome="{("failure", "signal")[number % 2]}"'
        series[f"procevent_exits_total{{{labels}}}"] = "0+9x60"
    expected = {"count(instance_comm_outcome:procevent_exits:rate5m)": len(EXCLUDED),
                'count(ALERTS{alertname="ProceventCrashLoop"})': 0}
    return file_of([series_test("ProceventCrashLoop, excluded commands", series, expected, "40m")])


def generated():
    return [few_series(), bounded_tops(), steady_tops(), many_down(), excluded_commands()]
