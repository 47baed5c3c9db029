"""Draws dashboards with Grafana's React components in headless Chromium, from a real Prometheus.

Neither Debian nor npm has a package of Grafana itself, so render/ lays out the panels.
"""

import contextlib
import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

import node

HERE = pathlib.Path(__file__).resolve().parent
WIDTH = 1280
LINE = 38  # pixels of a line of the grid, as in page.tsx
MARGIN = 62  # pixels
SECONDS = 120  # for a picture


def skip_reason():
    return node.skip_reason() or (None if shutil.which("chromium") else "not installed: chromium")


def _handler(folder, reports):
    class Page(http.server.SimpleHTTPRequestHandler):
        """Serves the page and the dashboards, and keeps the page's reports."""

        def translate_path(self, path):
            return str(folder / pathlib.PurePosixPath(urllib.parse.urlsplit(path).path).name)

        def do_POST(self):  # noqa: N802 (the library's name)
            reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Page


class Renderer:
    """Draws the dashboards `boards` (the JSON text of each, by name) for as long as the `with` lasts.

    `time` are the parameters that all pictures share: the URL of Prometheus; end, seconds and step of the time range;
    the scrape interval; the interval of the recording rules; and regions with a text.
    """

    def __init__(self, boards, **time):
        programs = node.Programs(HERE / "render")
        programs.run("node", "build.mjs")
        self.folder = programs.folder
        self._boards = {name: json.loads(text) for name, text in boards.items()}
        for name, text in boards.items():
            (self.folder / f"{name}.json").write_text(text, encoding="utf-8")
        self._time = {name: value if isinstance(value, str) else json.dumps(value) for name, value in time.items()}
        self._reports = []
        self._undo = self._port = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.folder, self._reports))
            page = stack.enter_context(server)
            thread = threading.Thread(target=page.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(page.shutdown)
            self._port = page.server_port
            self._undo = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def draw(self, board, rows, picture):
        """Writes a picture of the rows (None: all) and returns the page's report: the drawn panels, and errors."""
        query = urllib.parse.urlencode({**self._time, "board": f"{board}.json", "rows": "|".join(rows or ())})
        self._reports.clear()
        with tempfile.TemporaryDirectory(prefix="procevent-chromium-") as profile:
            subprocess.run(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                 "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}",
                 f"--window-size={WIDTH},{self._height(board, rows)}", "--virtual-time-budget=30000",
                 f"--screenshot={picture}", f"http://127.0.0.1:{self._port}/index.html?{query}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS,
                check=True)
        if len(self._reports) != 1:
            raise AssertionError(f"{board}: the page did not finish")
        return self._reports[0]

    def _height(self, board, rows):
        lines, shown = 0, True
        for panel in self._boards[board]["panels"]:
            if panel["type"] == "row":
                shown = rows is None or panel["title"] in rows
            if shown and panel["gridPos"]["x"] == 0:
                lines += panel["gridPos"]["h"]
        return lines * LINE + MARGIN
