#!/usr/bin/env python3
"""Writes dashboards/*.json: `build_dashboards.py [FOLDER]`. They are made here and nowhere else (tests/deploy holds the
files to it), with Python's standard library alone.

fleet.py, fork_storms.py and exporter_health.py say what is on them, in terms of parts.py. Each graph and table shows so
many lines and rows, however many machines there are; but only what fleet.py makes also asks little enough for ten
thousand. They need the recording rules, and Prometheus 2.33 or newer (`@ end()`).
"""

import json
import pathlib
import sys

from exporter_health import exporter_health
from fleet import fleet
from fork_storms import fork_storms

DASHBOARDS = {"fleet.json": fleet, "fork-storms.json": fork_storms, "exporter-health.json": exporter_health}


def text(name):
    return json.dumps(DASHBOARDS[name](), indent=2, ensure_ascii=False) + "\n"


def main(folder):
    for name in DASHBOARDS:
        (folder / name).write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "dashboards")
