"""Queries each PromQL expression of the pages in a real Prometheus. Alert expressions and rare values may be empty."""

import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402
import pages  # noqa: E402
import prometheus  # noqa: E402

# Expressions that return nothing on a healthy exporter.
MAY_BE_EMPTY = {
    "sum by (instance) (increase(procevent_events_lost_total[5m])) > 0",
    "procevent_up == 0",
}

# Metrics whose queries on docs/metrics.md look for rare values.
METRICS_PAGE = "docs/metrics.md"
RARE_VALUES = {
    "procevent_groups", "procevent_groups_overflowed_total", "procevent_exporter_config_last_reload_successful",
    "procevent_exporter_config_restart_pending", "procevent_credential_changes_total", "procevent_events_lost_total",
    "procevent_exporter_http_requests_refused_total", "procevent_subscription_restarts_total",
    "procevent_up", "procevent_loss_exact", "procevent_messages_rejected_total", "procevent_pending",
    "procevent_processes_dropped_total", "procevent_ptrace_total", "procevent_replayed",
    "procevent_snapshot_timestamp_seconds", "procevent_socket_drops_total",
    "procevent_threads", "process_open_fds"}


def expressions():
    """(page, expression) for each expression of any page, once."""
    return list(dict.fromkeys((name, expression) for name, block in pages.blocks_of("promql")
                              for expression in pages.expressions(block.text)))


def may_be_empty(page, expression):
    if page == METRICS_PAGE:
        return re.search(r"\bproce\w+", expression).group() in RARE_VALUES
    return expression in MAY_BE_EMPTY


class Expressions(harness.LiveTest):
    def test_expressions_return_data(self):
        harness.require(prometheus.skip_reason())
        self.assertGreater(len(expressions()), 50)
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with prometheus.Prometheus(exporter.port) as server:
                server.wait_scraping()
                for _ in range(2):  # a rate needs two scrapes with the row
                    self.make_events()
                    self.await_scrape(server)
                names = set(server.api("label/__name__/values"))
                for page, expression in expressions():
                    with self.subTest(page=page, expression=expression):
                        self.assertEqual(set(re.findall(r"\bprocevent_\w+", expression)) - names, set())
                        self.assertTrue(server.query(expression) or may_be_empty(page, expression), "no result")

    def make_events(self):
        """Causes every kind of event that the pages query."""
        with harness.Storm("exec", 50) as storm:
            storm.wait()
        subprocess.run(["false"], check=False)
        subprocess.run(["bash", "-c", "ulimit -c 0; kill -SEGV $$"], check=False)

    def await_scrape(self, server):
        now = time.time()
        harness.wait_for("another scrape", lambda: server.query(f"timestamp(up) > {now:.3f}"))


if __name__ == "__main__":
    harness.main()
