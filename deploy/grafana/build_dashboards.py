#!/usr/bin/env python3
"""Generates dashboards/*.json: `build_dashboards.py [FOLDER]`. Needs only Python's standard library.

fleet.py, fork_storms.py and exporter_health.py define the dashboards from the functions of parts.py. Do not edit the
JSON files: tests/deploy compares them with this source. The number of lines and rows of each panel is bounded, but only
the queries of fleet.py are cheap enough for ten thousand machines. The dashboards need the recording rules, and
Prometheus 2.33 or newer (`@ end()`).
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
