#!/usr/bin/env python3
"""deploy/prometheus: the rules do what tests/deploy/rules says, hang together with README.md and the catalogue of
metrics, and run in a real Prometheus on a real exporter that replays the demonstration."""

import json
import pathlib
import re
import sys
import tempfile
import unittest

import promql
from brief_rules import put_into
from catalogue import ROOT, catalogue
from rule_cases import DEPLOYED, generated
from rule_files import (CASES, FLEET, RULES, alerts, all_rules, cases, faults_of_alert, faults_of_expression,
                        faults_of_record, groups, promtool, recorded, text_of)

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402
import prometheus  # noqa: E402
import scraper  # noqa: E402

# What a replay leaves out, so that nothing can be recorded of it.
NOT_IN_A_REPLAY = {
    "instance:procevent_up:max": "it is of those that alerts are raised of",
    "instance:procevent_blind:ratio_rate1h": "it has no blind time of its own",
    "instance:procevent_unseen:ratio_rate1h": "the kernel's count of forks is of another machine",
    "instance:procevent_stopped:ratio_avg1h": "it is of instance:procevent_up:max",
    "instance:procevent_completeness:ratio_rate1h": "as it has no blind time",
    "job:procevent_up:sum": "it is of instance:procevent_up:max",
    "job:procevent_up:count": "it is of instance:procevent_up:max",
    "job:procevent_completeness:min_ratio_rate1h": "as it has no completeness",
}


class Texts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.readme = text_of("README.md")
        cls.tested = cases()
        cls.names = catalogue()
        cls.records = {rule["record"] for rule in recorded()}

    def test_alerts(self):
        self.assertEqual(len(alerts()), 12)
        for rule in alerts():
            with self.subTest(rule["alert"]):
                self.assertEqual(list(faults_of_alert(rule, self.readme, self.tested)), [])

    def test_records(self):
        for group in groups():
            for rule in group["rules"]:
                if "record" in rule:
                    with self.subTest(rule["record"]):
                        self.assertEqual(list(faults_of_record(rule, group["name"], self.readme, self.tested)), [])

    def test_expressions(self):
        for rule in all_rules():
            with self.subTest(rule.get("alert") or rule["record"]):
                self.assertEqual(list(faults_of_expression(rule, self.names, self.records)), [])

    def test_no_replay_is_alerted_of(self):
        """Of completeness and up:max there is none: NOT_IN_A_REPLAY."""
        for rule in alerts():
            if "absent(" not in rule["expr"]:
                self.assertRegex(rule["expr"], r"instance:procevent_(up:max|completeness:)", rule["alert"])

    def test_no_rule_waits_long(self):
        """What is recorded is looked for in the last 5 minutes, and an evaluation may be missed."""
        for group in groups():
            self.assertIn(group["interval"], ("1m", "2m"), group["name"])

    def test_alerts_that_are_asked_for_exist(self):
        names = {rule["alert"] for rule in alerts()}
        asked = [value for rule in all_rules() for one in promql.selectors(rule["expr"])
                 for label, _, value in one.matchers if label == "alertname"]
        self.assertEqual({name for value in asked for name in value.strip('"').split("|")} - names, set())
        self.assertGreater(len(asked), 0)

    def test_readme_has_no_others(self):
        runbooks = set(re.findall(r"(?m)^### (Procevent\w+)$", self.readme))
        self.assertEqual(runbooks, {rule["alert"] for rule in alerts()})
        self.assertEqual(set(re.findall(r"(?m)^\| `(\w+:\w+:\w+)` \|", self.readme)), self.records)

    def test_planted_faults_are_found(self):
        good = alerts()[0]
        name = good["alert"]
        for fault, planted in (("severity", {"labels": {"severity": "urgent"}}),
                               ("just a summary", {"annotations": {"summary": "x"}}),
                               ("one line", {"annotations": {**good["annotations"], "summary": "it is down"}}),
                               ("sentence", {"annotations": {**good["annotations"], "description": "down"}}),
                               ("no runbook", {"annotations": {**good["annotations"],
                                                               "runbook_url": "README.md#alerts"}})):
            with self.subTest(fault):
                self.assertRegex("\n".join(faults_of_alert({**good, **planted}, self.readme, self.tested)), fault)
        for fault, tested in (("lets it fire", {name: [[]]}), ("keeps it", {name: [["fired"]]})):
            with self.subTest(fault):
                self.assertRegex("\n".join(faults_of_alert(good, self.readme, tested)), fault)
        without = self.readme.replace(f"### {name}\n", "")
        self.assertRegex("\n".join(faults_of_alert(good, without, self.tested)), "no runbook")
        for fault, expression in (("nobody serves procevent_fork", 'rate(procevent_fork{comm="{a, b}"}[5m])'),
                                  ("no label event", 'sum by (job) (procevent_forks_total{event="fork"})'),
                                  ("no label comm", 'instance:procevent_forks:rate5m{comm=~"a"}'),
                                  ("label node is of no", "sum by (node) (up)"),
                                  ("labels of the target", "sum without (comm) (procevent_forks_total)"),
                                  ("no label name", 'ALERTS{name="x"}'),
                                  ("no counter", "rate(procevent_processes[5m])"),
                                  ("four scrapes", "rate(procevent_forks_total[3m])")):
            with self.subTest(fault):
                found = faults_of_expression({"expr": expression}, self.names, self.records)
                self.assertRegex("\n".join(found), fault)
        for fault, record, expression in (("bounds", "job_comm:procevent_x:rate5m", "sum by (job, comm) (a:b:c)"),
                                          ("raw", "job:procevent_x:rate5m", "sum by (job) (procevent_forks_total)"),
                                          ("other group", "instance:procevent_x:max", "a:b:c"),
                                          ("table", "job:procevent_x:max", "a:b:c"),
                                          ("value", "job:procevent_x:max", "a:b:c"),
                                          ("operation", "job:forks", "a:b:c")):
            with self.subTest(fault):
                rule = {"record": record, "expr": expression}
                self.assertRegex("\n".join(faults_of_record(rule, FLEET, self.readme, self.tested)), fault)


class Promtool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.why_not())

    def test_it_takes_the_configuration_and_the_rules(self):
        printed = promtool("check", "config", DEPLOYED / "prometheus.yml")
        for rules in RULES:
            self.assertIn(rules, printed)
        found = sum(int(count) for count in re.findall(r"SUCCESS: (\d+) rules found", printed))
        self.assertEqual(found, len(all_rules()))

    def test_the_rules_do_what_their_tests_say(self):
        self.assertGreater(len(CASES), 3)
        self.assertEqual(promtool("test", "rules", *CASES).count("SUCCESS"), len(CASES))

    def test_fleets(self):
        """Their series are few, their tops steady, and alerts go by a share of them."""
        with tempfile.TemporaryDirectory(prefix="procevent-rules-") as directory:
            files = [pathlib.Path(directory, f"{number}.test.yml") for number in range(len(generated()))]
            for file, content in zip(files, generated()):
                file.write_text(json.dumps(content), encoding="utf-8")
            self.assertEqual(promtool("test", "rules", *files).count("SUCCESS"), len(files))


def with_target(config, port):
    """The configuration with that target, which has a label more, in the place of its own."""
    return re.sub(r'( +)- targets: .*', rf'\1- targets: ["127.0.0.1:{port}"]\n\1  labels: {{pod: a}}', config)


class Live(unittest.TestCase):
    """The files as they are deployed, but briefly, on an exporter that replays the demonstration."""

    def brief_prometheus(self, port):
        def command(directory, _, own_port):
            config, *_ = map(pathlib.Path, put_into(directory, ("prometheus.yml", *RULES)))
            config.write_text(with_target(config.read_text(encoding="utf-8"), port), encoding="utf-8")
            return prometheus.command(directory, config, own_port)

        return scraper.Scraper("Prometheus", command, port)

    def test_each_rule_runs_on_real_numbers(self):
        harness.require(prometheus.why_not())
        with harness.Exporter(f"--source.replay={ROOT}/deploy/demo/demo.pcap", "--source.replay-loop=true",
                              "--source.replay-speed=8") as exporter:
            exporter.wait_ready()
            with self.brief_prometheus(exporter.port) as server:
                server.wait_scraping()
                wanted = {rule["record"] for rule in recorded()} - set(NOT_IN_A_REPLAY)
                missing = set(wanted)

                def all_there():
                    missing.intersection_update(name for name in wanted if not server.query(f"count({name})"))
                    return not missing

                try:
                    harness.wait_for("data of each rule", all_there, 120)
                except AssertionError as error:
                    raise AssertionError(f"{error}: none of {sorted(missing)}; {self.failed(server)}") from error
                self.check_rules(server)
                self.check_matchers(server)
                self.check_runbook(server)

    def failed(self, server):
        """A line of each rule that is not evaluated, or not well."""
        run = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(len(run), len(all_rules()))
        return [f"{rule['name']}: {rule['health']}: {rule.get('lastError')}" for rule in run if rule["health"] != "ok"]

    def check_rules(self, server):
        self.assertEqual(self.failed(server), [])
        for name in NOT_IN_A_REPLAY:
            self.assertEqual(server.query(name), [], name)
        self.assertEqual(server.api("alerts")["alerts"], [], "of a replay")
        self.assertEqual(server.query('{__name__=~".+:procevent_.+", pod!=""}'), [], "they keep a target's labels")
        self.assertTrue(server.query('procevent_replayed{pod="a"}'))
        for rule in recorded():
            if ":ratio_" in rule["record"] or ":min_ratio_" in rule["record"]:
                for labels, value in server.query(rule["record"]):
                    self.assertTrue(0 <= float(value) <= 1, (rule["record"], labels, value))

    def check_matchers(self, server):
        """A label that a rule asks for, or against, is there: a slip would find, or leave out, nothing for ever."""
        for rule in all_rules():
            for selector in promql.selectors(rule["expr"]):
                for label, sign, value in selector.matchers:
                    if ":" not in selector.metric and selector.metric != "ALERTS":
                        positive = {"!=": "=", "!~": "=~"}.get(sign, sign)
                        wanted = f"{selector.metric}{{{label}{positive}{value}}}"
                        self.assertTrue(server.query(f"count({wanted})"), wanted)

    def check_runbook(self, server):
        """What the runbook says to look at can be asked, of what is served."""
        names = set(catalogue()) | {rule["record"] for rule in recorded()}
        section = text_of("README.md").partition("\n## Alerts\n")[2].partition("\n## ")[0]
        spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", re.sub(r"(?ms)^```.*?^```$", "", section))]
        asked = [span for span in spans if re.search(r"procevent_\w+(:|_total|_bytes|_max)", span) and "=~" not in span]
        self.assertGreater(len(asked), 30)
        for expression in asked:
            with self.subTest(expression):
                self.assertEqual({one.metric for one in promql.selectors(expression)} - names, set())
                server.query(expression)


if __name__ == "__main__":
    harness.main()
