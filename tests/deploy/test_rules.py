#!/usr/bin/env python3
"""Tests the rules of deploy/prometheus: promtool's tests of tests/deploy/rules pass, the rules agree with the pages of
docs/ and the metric catalogue, and a real Prometheus evaluates them on an exporter that replays the demo."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import promql
import yaml
from catalogue import ROOT, catalogue
from rule_cases import DEPLOYED, generated
from rule_files import (CASES, FLEET, RULES, RUNBOOKS, TABLES, alerts, all_rules, cases, faults_of_alert,
                        faults_of_expression, faults_of_names, faults_of_old_names, faults_of_record, groups,
                        naming_texts, old_names, promtool, recorded, text_of)
from short_windows import write_to

sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "docs")]

import harness  # noqa: E402
import pages  # noqa: E402
import prometheus  # noqa: E402
import scraper  # noqa: E402

# Records that have no series for a replay, and why.
NOT_IN_A_REPLAY = {
    "instance:procevent_exporter_up:max": "it excludes replays, so that they raise no alert",
    "instance:procevent_unsubscribed:ratio_rate1h": "a replay has no time without a subscription",
    "instance:procevent_unseen_clones:ratio_rate1h": "the kernel's count of forks is of another machine",
    "instance:procevent_stopped:ratio_avg1h": "it uses instance:procevent_exporter_up:max",
    "instance:procevent_completeness:ratio_rate1h": "a replay has no time without a subscription",
    "instance_comm_list:procevent_crash_loop_excluded:group": "no command of the demo that is on a list fails",
    "job:procevent_exporter_up:sum": "it uses instance:procevent_exporter_up:max",
    "job:procevent_exporter_up:count": "it uses instance:procevent_exporter_up:max",
    "job:procevent_completeness:min_ratio_rate1h": "a replay has no completeness",
}


class Texts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runbooks, cls.tables = text_of(RUNBOOKS), text_of(TABLES)
        cls.tested = cases()
        cls.names = catalogue()
        cls.records = {rule["record"] for rule in recorded()}

    def test_alerts(self):
        self.assertEqual(len(alerts()), 14)
        for rule in alerts():
            with self.subTest(rule["alert"]):
                self.assertEqual(list(faults_of_alert(rule, self.runbooks, self.tested)), [])

    def test_records(self):
        for group in groups():
            for rule in group["rules"]:
                if "record" in rule:
                    with self.subTest(rule["record"]):
                        self.assertEqual(list(faults_of_record(rule, group["name"], self.tables, self.tested)), [])

    def test_expressions(self):
        for rule in all_rules():
            with self.subTest(rule.get("alert") or rule["record"]):
                self.assertEqual(list(faults_of_expression(rule, self.names, self.records)), [])

    def test_named_metrics_exist(self):
        """Rules, dashboards and pages name only metrics of the catalogue and recorded series."""
        texts = naming_texts()
        self.assertGreater(len(texts), 30)
        for file, text in texts.items():
            with self.subTest(file):
                self.assertEqual(list(faults_of_names(text, self.names, self.records)), [])
        for planted in ("procevent_fork", "`procevent_peers_*`", "a procevent_comms_limit b", "a:procevent_x:rate5m",
                        "instance:procevent_forks:rate15m", '"procevent_forks_total_bucket{"'):
            self.assertEqual(len(list(faults_of_names(planted, self.names, self.records))), 1, planted)
        good = "procevent_forks_total, procevent_exit_code, procevent_exit_code_bucket{}, procevent_process_*"
        self.assertEqual(list(faults_of_names(good, self.names, self.records)), [])

    def test_old_names_are_gone(self):
        """No rule, dashboard or page has a name of the first columns of docs/upgrading.md."""
        old = list(old_names(text_of("docs", "upgrading.md"), self.names))
        self.assertGreaterEqual(len(old), 40)
        for file, text in naming_texts().items():
            with self.subTest(file):
                self.assertEqual(list(faults_of_old_names(text, old)), [])
        for planted in ("procevent_listener_up == 0", 'comm!="[retired comms here]"', "`comms.limit`.",
                        'procevent_events_total{job="a", event!="ack"}', "procevent_pending{event}",
                        "sum(procevent_processes_dropped_total{why=~\"a\"})", "instance:procevent_blind:ratio_rate1h",
                        "ProceventNotListening"):
            self.assertEqual(len(list(faults_of_old_names(planted, old))), 1, planted)
        good = 'procevent_exit_signals_total{signal="SIGKILL"} procevent_events_total{event="fork"} groups.limit'
        self.assertEqual(list(faults_of_old_names(good, old)), [])

    def test_replays_raise_no_alert(self):
        """Each alert uses a record that excludes replays (NOT_IN_A_REPLAY)."""
        for rule in alerts():
            if "absent(" not in rule["expr"]:
                self.assertRegex(rule["expr"], r"instance:procevent_(exporter_up:max|completeness:)", rule["alert"])

    def test_groups_are_evaluated_often_enough(self):
        """Prometheus uses samples of the last 5 minutes, and an evaluation may be missed."""
        for group in groups():
            self.assertIn(group["interval"], ("1m", "2m"), group["name"])

    def test_queried_alerts_exist(self):
        names = {rule["alert"] for rule in alerts()}
        queried = [value for rule in all_rules() for one in promql.selectors(rule["expr"])
                   for label, _, value in one.matchers if label == "alertname"]
        self.assertEqual({name for value in queried for name in value.strip('"').split("|")} - names, set())
        self.assertGreater(len(queried), 0)

    def test_pages_list_exactly_these_rules(self):
        runbooks = set(re.findall(r"(?m)^### (Procevent\w+)$", self.runbooks))
        self.assertEqual(runbooks, {rule["alert"] for rule in alerts()})
        self.assertEqual(set(re.findall(r"(?m)^\| `(\w+:\w+:\w+)` \|", self.tables)), self.records)

    def test_runbooks_need_no_other_page(self):
        """Operators host the page alone."""
        links = pages.links(self.runbooks.partition("\n## Runbooks\n")[2])
        self.assertGreater(len(links), 5)
        self.assertEqual([link for link in links if not link.startswith("#")], [])

    def test_page_has_severity_and_time_of_each_alert(self):
        rows = re.findall(r"(?m)^\| \[(\w+)\]\(#\w+\) \| (\w+) \| (.+?) \|", self.runbooks)
        after = {rule["alert"]: f"{int(rule['for'][:-1])} minutes" if "for" in rule else "at once" for rule in alerts()}
        self.assertEqual(sorted(rows), sorted((rule["alert"], rule["labels"]["severity"], after[rule["alert"]])
                                              for rule in alerts()))

    def test_page_has_the_lists_of_excluded_commands(self):
        excluded = {rule["labels"]["list"]: re.search(r'comm=~"(.*)"', rule["expr"])[1].replace("\\\\", "\\")
                    for rule in recorded() if "list" in rule.get("labels", {})}
        rows = {lists: examples for lists, examples in re.findall(r"(?m)^\| (`[a-z`, ]+`) \| (`.*?`) \|", self.tables)}
        self.assertEqual({name for lists in rows for name in re.findall(r"\w+", lists)}, set(excluded))
        for lists, examples in rows.items():
            for command in re.findall(r"`(.*?)`", examples):
                matching = [name for name in re.findall(r"\w+", lists) if re.fullmatch(excluded[name], command)]
                self.assertEqual(len(matching), 1, command)

    def test_planted_faults_are_found(self):
        good = alerts()[0]
        name = good["alert"]
        for fault, planted in (("severity", {"labels": {"severity": "urgent"}}),
                               ("annotations", {"annotations": {"summary": "x"}}),
                               ("one line", {"annotations": {**good["annotations"], "summary": "it is down"}}),
                               ("sentence", {"annotations": {**good["annotations"], "description": "down"}}),
                               ("no runbook", {"annotations": {**good["annotations"],
                                                               "runbook_url": f"{RUNBOOKS}#alerts"}})):
            with self.subTest(fault):
                self.assertRegex("\n".join(faults_of_alert({**good, **planted}, self.runbooks, self.tested)), fault)
        for fault, tested in (("expects it to fire", {name: [[]]}), ("expects it not to", {name: [["fired"]]})):
            with self.subTest(fault):
                self.assertRegex("\n".join(faults_of_alert(good, self.runbooks, tested)), fault)
        without = self.runbooks.replace(f"### {name}\n", "")
        self.assertRegex("\n".join(faults_of_alert(good, without, self.tested)), "no runbook")
        for fault, expression in (("metric procevent_fork does not exist", 'rate(procevent_fork{comm="{a, b}"}[5m])'),
                                  ("no label event", 'sum by (job) (procevent_forks_total{event="fork"})'),
                                  ("no label comm", 'instance:procevent_forks:rate5m{comm=~"a"}'),
                                  ("no metric has a label node", "sum by (node) (up)"),
                                  ("target labels", "sum without (comm) (procevent_forks_total)"),
                                  ("no label name", 'ALERTS{name="x"}'),
                                  ("no counter", "rate(procevent_processes[5m])"),
                                  ("four scrapes", "rate(procevent_forks_total[3m])")):
            with self.subTest(fault):
                found = faults_of_expression({"expr": expression}, self.names, self.records)
                self.assertRegex("\n".join(found), fault)
        for fault, record, expression in (("unbounded", "job_comm:procevent_x:rate5m", "sum by (job, comm) (a:b:c)"),
                                          ("raw", "job:procevent_x:rate5m", "sum by (job) (procevent_forks_total)"),
                                          ("wrong group", "instance:procevent_x:max", "a:b:c"),
                                          ("table", "job:procevent_x:max", "a:b:c"),
                                          ("value", "job:procevent_x:max", "a:b:c"),
                                          ("operation", "job:forks", "a:b:c")):
            with self.subTest(fault):
                rule = {"record": record, "expr": expression}
                self.assertRegex("\n".join(faults_of_record(rule, FLEET, self.tables, self.tested)), fault)


class Promtool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.skip_reason())

    def test_promtool_accepts_the_configuration_and_the_rules(self):
        printed = promtool("check", "config", DEPLOYED / "prometheus.yml")
        for rules in RULES:
            self.assertIn(rules, printed)
        found = sum(int(count) for count in re.findall(r"SUCCESS: (\d+) rules found", printed))
        self.assertEqual(found, len(all_rules()))

    def test_runbooks_get_the_address_of_the_operator(self):
        """The command of the page writes the address into each URL, and fails without it."""
        block = next(block.text for block in pages.blocks(text_of(RUNBOOKS)) if "RUNBOOKS=" in block.text)
        assignment, for_file = [command for command in pages.commands(block) if "RUNBOOKS" in command]
        address = assignment.removeprefix("RUNBOOKS=")
        with tempfile.TemporaryDirectory(prefix="procevent-rules-") as directory:
            hosted = pathlib.Path(directory, "alerts.rules.yml")
            script = f"{assignment}\n{for_file}".replace("/etc/prometheus/", f"{directory}/")
            subprocess.run(["bash", "-euc", script], cwd=ROOT, stdin=subprocess.DEVNULL, timeout=60, check=True)
            self.assertIn("14 rules found", promtool("check", "rules", hosted))
            text = hosted.read_text(encoding="utf-8")
        urls = [rule["annotations"]["runbook_url"] for group in yaml.safe_load(text)["groups"]
                for rule in group["rules"]]
        self.assertEqual(urls, [f"{address}#{rule['alert'].lower()}" for rule in alerts()])
        self.assertLessEqual({url.partition("#")[2] for url in urls}, pages.anchors(text_of(RUNBOOKS)))
        shipped = text_of("deploy", "prometheus", "alerts.rules.yml")
        self.assertEqual(text, shipped.replace(f"{RUNBOOKS}#", f"{address}#"))
        unset = subprocess.run(["bash", "-uc", for_file.rpartition(" >")[0]], cwd=ROOT, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(unset.returncode, 0, "it runs without the address")

    def test_rule_tests_pass(self):
        self.assertGreater(len(CASES), 3)
        self.assertEqual(promtool("test", "rules", *CASES).count("SUCCESS"), len(CASES))

    def test_fleet_rules_are_bounded_and_steady(self):
        """The number of series is bounded, top lists are steady, and ProceventManyDown uses a share of a job."""
        with tempfile.TemporaryDirectory(prefix="procevent-rules-") as directory:
            files = [pathlib.Path(directory, f"{number}.test.yml") for number in range(len(generated()))]
            for file, content in zip(files, generated()):
                file.write_text(json.dumps(content), encoding="utf-8")
            self.assertEqual(promtool("test", "rules", *files).count("SUCCESS"), len(files))


def with_target(config, port):
    """The configuration with another target, which has an additional label."""
    return re.sub(r'( +)- targets: .*', rf'\1- targets: ["127.0.0.1:{port}"]\n\1  labels: {{pod: a}}', config)


class Live(unittest.TestCase):
    """The deployed files with shortened windows, on an exporter that replays the demo."""

    def start_prometheus(self, port):
        def command(directory, _, own_port):
            config, *_ = map(pathlib.Path, write_to(directory, ("prometheus.yml", *RULES)))
            config.write_text(with_target(config.read_text(encoding="utf-8"), port), encoding="utf-8")
            return prometheus.command(directory, config, own_port)

        return scraper.Scraper("Prometheus", command, port)

    def test_rules_run_on_real_numbers(self):
        harness.require(prometheus.skip_reason())
        with harness.Exporter(f"--source.replay={ROOT}/deploy/demo/demo.pcap", "--source.replay-loop=true",
                              "--source.replay-speed=8") as exporter:
            exporter.wait_ready()
            with self.start_prometheus(exporter.port) as server:
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
        """A line for each rule that is not evaluated without an error."""
        loaded = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(len(loaded), len(all_rules()))
        return [f"{rule['name']}: {rule['health']}: {rule.get('lastError')}"
                for rule in loaded if rule["health"] != "ok"]

    def check_rules(self, server):
        self.assertEqual(self.failed(server), [])
        for name in NOT_IN_A_REPLAY:
            self.assertEqual(server.query(name), [], name)
        self.assertEqual(server.api("alerts")["alerts"], [], "alerts for a replay")
        self.assertEqual(server.query('{__name__=~".+:procevent_.+", pod!=""}'), [], "records with target labels")
        self.assertTrue(server.query('procevent_replayed{pod="a"}'))
        for rule in recorded():
            if ":ratio_" in rule["record"] or ":min_ratio_" in rule["record"]:
                for labels, value in server.query(rule["record"]):
                    self.assertTrue(0 <= float(value) <= 1, (rule["record"], labels, value))

    def check_matchers(self, server):
        """Each label value that a rule matches exists. A misspelled matcher would never match."""
        for rule in all_rules():
            for selector in promql.selectors(rule["expr"]):
                for label, sign, value in selector.matchers:
                    if ":" not in selector.metric and selector.metric != "ALERTS":
                        positive = {"!=": "=", "!~": "=~"}.get(sign, sign)
                        wanted = f"{selector.metric}{{{label}{positive}{value}}}"
                        self.assertTrue(server.query(f"count({wanted})"), wanted)

    def check_runbook(self, server):
        """Each expression of the runbooks is valid and uses existing metrics."""
        names = set(catalogue()) | {rule["record"] for rule in recorded()}
        text = text_of(RUNBOOKS) + text_of(TABLES)
        spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", pages.prose(text))]
        queries = [span for span in spans if re.search(r"procevent_\w+(:|_total|_bytes|_max)", span)]
        queries += re.findall(r"(?m)^ *promtool query instant \S+ '(.+)'", text)
        self.assertGreater(len(queries), 30)
        for expression in queries:
            with self.subTest(expression):
                self.assertEqual({one.metric for one in promql.selectors(expression)} - names, set())
                server.query(expression)


if __name__ == "__main__":
    harness.main()
