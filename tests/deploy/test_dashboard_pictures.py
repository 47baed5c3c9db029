#!/usr/bin/env python3
"""Draws each panel with Grafana's React components in headless Chromium, from a real Prometheus that scrapes the demo.

The pictures are in the build folder. PROCEVENT_REFRESH_GOLDEN=1 updates those in deploy/grafana/screenshots.
Neither Debian nor npm has a package of Grafana itself, so render/ lays out the panels.
"""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import demo  # noqa: E402
import grafana  # noqa: E402
import harness  # noqa: E402
import node  # noqa: E402
import prometheus  # noqa: E402
import short_windows  # noqa: E402
import test_dashboards  # noqa: E402

SHOWN = 150  # seconds of the time range
STORMS = 55  # its last seconds, with two storms, the second just before the end
WIDTH = 1280
PICTURE_BYTES = 300_000
SECONDS = 120  # for a picture
# Dashboard and rows of each picture; None: all rows.
PICTURES = {
    "fork-storms": ("fork-storms", ("Overview", "Forks", "Event rates")),
    "fork-storms-exits": ("fork-storms", ("Exits", "Lifetimes", "Crash loops")),
    "fleet": ("fleet", ("Over time", "Forks by command and machine", "Failed exits", "Highest fork rates")),
    "exporter-health": ("exporter-health", ("Overview", "Reader", "Limits")),
    "all-of-fleet": ("fleet", None),
    "all-of-fork-storms": ("fork-storms", None),
    "all-of-exporter-health": ("exporter-health", None),
}
SHOWS_UNKNOWN = {"Completeness", "Exporters down"}  # stats that show "unknown"


class Page(http.server.SimpleHTTPRequestHandler):
    """Serves the renderer and the dashboards, and keeps the page's reports."""

    reports = []

    def translate_path(self, path):
        return str(node.BUILD / "render" / pathlib.PurePosixPath(urllib.parse.urlsplit(path).path).name)

    def do_POST(self):  # noqa: N802 (the library's name)
        Page.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def skip_reason():
    missing = [why for why in (prometheus.skip_reason(), node.skip_reason()) if why]
    return "; ".join(missing) or (None if shutil.which("chromium") else "not installed: chromium")


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(skip_reason())
        programs = node.Programs(HERE / "render")
        programs.run("node", "build.mjs")
        cls.folder = programs.folder
        for file in grafana.files():
            text = short_windows.shorten(file.read_text(encoding="utf-8"))
            (cls.folder / file.name).write_text(text, encoding="utf-8")
        with contextlib.ExitStack() as stack:
            machines = stack.enter_context(demo.Machines())
            cls.server = machines.server
            page = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page))
            thread = threading.Thread(target=page.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(page.shutdown)
            cls.port = page.server_port
            time.sleep(SHOWN - STORMS)
            harness.wait_for("a time that aligns with the axis", lambda: round(time.time() + STORMS) % 30 == 25, 35)
            cls.end = round(time.time()) + STORMS  # cuts off no label of the axis
            machines.begin_storms()
            time.sleep(STORMS + 2)
            cls.addClassCleanup(stack.pop_all().close)

    def draw(self, name):
        """Draws a picture and returns the page's report: the drawn panels, and errors."""
        board, rows = PICTURES[name]
        query = urllib.parse.urlencode({"board": f"{board}.json", "rows": "|".join(rows or ()), "end": self.end,
                                        "shown": SHOWN, "prometheus": f"http://127.0.0.1:{self.server.port}"})
        height = self.height(board, rows)
        Page.reports.clear()
        with tempfile.TemporaryDirectory(prefix="procevent-chromium-") as profile:
            subprocess.run(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                 "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}", f"--window-size={WIDTH},{height}",
                 "--virtual-time-budget=30000", f"--screenshot={self.folder / name}.png",
                 f"http://127.0.0.1:{self.port}/index.html?{query}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS,
                check=True)
        self.assertEqual(len(Page.reports), 1, "the page did not finish")
        return Page.reports[0]

    def height(self, board, rows):
        """The picture's height: 38 pixels for each line of the grid, and a margin."""
        lines, shown = 0, True
        for panel in grafana.board(grafana.FOLDER / "dashboards" / f"{board}.json")["panels"]:
            if panel["type"] == "row":
                shown = rows is None or panel["title"] in rows
            if shown and panel["gridPos"]["x"] == 0:
                lines += panel["gridPos"]["h"]
        return lines * 38 + 62

    def test_each_panel_is_drawn(self):
        for name, (board, rows) in PICTURES.items():
            with self.subTest(name):
                report = self.draw(name)
                self.assertEqual(report["errors"], [])
                self.assertEqual(report["unknown_units"], [])
                empty = {panel["title"] for panel in report["panels"] if not panel["drawn"]}
                self.assertEqual(empty - set(test_dashboards.LIVE_ONLY), set(), "empty panels")
                self.assertTrue(rows is None or empty <= SHOWS_UNKNOWN, f"README.md would show empty panels: {empty}")

    def test_readme_shows_the_pictures(self):
        shown = {name: grafana.FOLDER / "screenshots" / f"{name}.png" for name, (_, rows) in PICTURES.items() if rows}
        if os.environ.get("PROCEVENT_REFRESH_GOLDEN") == "1":
            for name, picture in shown.items():
                self.draw(name)
                shutil.copy(self.folder / f"{name}.png", picture)
            grafana.DRAWN.write_text(grafana.sums(), encoding="utf-8")
        readme = (grafana.ROOT / "README.md").read_text(encoding="utf-8")
        for name, picture in shown.items():
            self.assertLess(picture.stat().st_size, PICTURE_BYTES, name)
            self.assertIn(f"deploy/grafana/screenshots/{name}.png", readme)


if __name__ == "__main__":
    harness.main()
