#!/usr/bin/env python3
"""Draws each panel with Grafana's React components, from a real Prometheus that scrapes the demo.

The pictures are in the build folder. take_pictures.py makes those that the pages show.
"""

import contextlib
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import demo  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import prometheus  # noqa: E402
import renderer  # noqa: E402
import short_windows  # noqa: E402
import take_pictures  # noqa: E402
import test_dashboards  # noqa: E402

SHOWN = 150  # seconds of the time range
STORMS = 55  # its last seconds, with two storms, the second just before the end
SETTLED = 2  # seconds after the end of the range, for the last scrape


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(prometheus.skip_reason() or renderer.skip_reason())
        boards = {file.stem: short_windows.shorten(file.read_text(encoding="utf-8")) for file in grafana.files()}
        cls.boards = list(boards)
        with contextlib.ExitStack() as stack:
            machines = stack.enter_context(demo.Machines())
            time.sleep(SHOWN - STORMS)
            harness.wait_for("a time that aligns with the axis", lambda: round(time.time() + STORMS) % 30 == 25, 35)
            end = round(time.time()) + STORMS  # cuts off no label of the axis
            machines.begin_storms()
            cls.renderer = stack.enter_context(renderer.Renderer(
                boards, prometheus=f"http://127.0.0.1:{machines.server.port}", end=end, shown=SHOWN, step=1, scrape=2,
                recorded=2, regions=[]))
            time.sleep(max(0, end + SETTLED - time.time()))
            cls.addClassCleanup(stack.pop_all().close)

    def test_each_panel_is_drawn(self):
        for board in self.boards:
            with self.subTest(board):
                report = self.renderer.draw(board, None, self.renderer.folder / f"{board}.png")
                self.assertEqual(report["errors"], [])
                self.assertEqual(report["unknown_units"], [])
                empty = {panel["title"] for panel in report["panels"] if not panel["drawn"]}
                self.assertEqual(empty - set(test_dashboards.LIVE_ONLY), set(), "empty panels")


class Published(unittest.TestCase):
    def test_pages_show_the_pictures(self):
        pages = [(grafana.ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/dashboards.md")]
        for name in take_pictures.PICTURES:
            self.assertLess((grafana.SCREENSHOTS / f"{name}.png").stat().st_size, take_pictures.PICTURE_BYTES, name)
            self.assertTrue(any(f"deploy/grafana/screenshots/{name}.png)" in page for page in pages), name)

    def test_pictures_show_rows_of_the_dashboards(self):
        for name, (board, rows) in take_pictures.PICTURES.items():
            panels = grafana.board(grafana.FOLDER / "dashboards" / f"{board}.json")["panels"]
            titles = {panel["title"] for panel in panels if panel["type"] == "row"}
            self.assertEqual(set(rows) - titles, set(), name)


if __name__ == "__main__":
    harness.main()
