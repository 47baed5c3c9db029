"""Queries each PromQL expression of the pages in a real Prometheus, and again without its comparison, which is true
only when something is wrong. The latter must return data."""

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

COMPARISON = re.compile(r" (?:==|>) [\d.]+")  # with the value at which to act
GAINS_ROOT = "import os; os.seteuid(65534); os.seteuid(0)"


def expressions():
    """(page, expression) for each expression of any page, once."""
    return list(dict.fromkeys((name, expression) for name, block in pages.blocks_of("promql")
                              for expression in pages.expressions(block.text)))


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
                        server.query(expression)
                        self.assertTrue(server.query(COMPARISON.sub("", expression)), "no result")

    def make_events(self):
        """Causes every kind of event that the pages query."""
        with harness.Storm("exec", 50) as storm:
            storm.wait()
        subprocess.run(["false"], check=False)
        subprocess.run(["bash", "-c", "ulimit -c 0; kill -SEGV $$"], check=False)
        subprocess.run([sys.executable, "-c", GAINS_ROOT], check=True)
        subprocess.run(["strace", "-o", "/dev/null", "true"], check=True)

    def await_scrape(self, server):
        now = time.time()
        harness.wait_for("another scrape", lambda: server.query(f"timestamp(up) > {now:.3f}"))


if __name__ == "__main__":
    harness.main()
