#!/usr/bin/env python3
"""Draws the pages' pictures of the dashboards from a recorded hour: `take_pictures.py FOLDER [PICTURE...]`.

FOLDER is that of live_hosts.py. Without names it draws all pictures of PICTURES into deploy/grafana/screenshots, and
records the dashboards that they show.
"""

import contextlib
import json
import math
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import grafana  # noqa: E402
import harness  # noqa: E402
import prometheus  # noqa: E402
import renderer  # noqa: E402
import rule_files  # noqa: E402
import scraper  # noqa: E402
import yaml  # noqa: E402

PICTURE_BYTES = 300_000
# Dashboard and rows of each picture.
PICTURES = {
    "fork-storm": ("fork-storms", ("Forks",)),
    "fork-storms": ("fork-storms", ("Overview", "Forks")),
    "fork-storms-exits": ("fork-storms", ("Exits and crash loops",)),
    "fleet": ("fleet", ("Overview", "Forks", "Most urgent machines")),
    "exporter-health": ("exporter-health", ("Overview", "Receive queue and loss", "Reader")),
}


def stored(folder):
    """A Prometheus that answers from the data of the folder, and scrapes nothing."""

    def command(directory, config, port):
        pathlib.Path(config).write_text("{}", encoding="utf-8")
        return prometheus.command(folder, config, port)

    return scraper.Scraper("Prometheus", command, None)


def end_of(server, hour):
    """The last evaluation of the fleet's rules in the hour. They query the other records, so that all panels agree."""
    (row,) = server.api("query", query="max(timestamp(job:procevent_forks:rate5m))", time=hour["end"])["result"]
    return math.ceil(float(row["value"][1]))


def draw(folder, names):
    hour = json.loads((folder / "hour.json").read_text(encoding="utf-8"))
    times = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))["global"]
    scrape, recorded = (rule_files.seconds(times[f"{what}_interval"]) for what in ("scrape", "evaluation"))
    boards = {file.stem: file.read_text(encoding="utf-8") for file in grafana.files()}
    with contextlib.ExitStack() as stack:
        drawn = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="procevent-pictures-")))
        server = stack.enter_context(stored(folder))
        harness.wait_for("Prometheus", lambda: server.try_query(lambda: server.query("vector(1)")))
        page = stack.enter_context(renderer.Renderer(
            boards, prometheus=f"http://127.0.0.1:{server.port}", end=end_of(server, hour),
            shown=hour["end"] - hour["begin"], step=scrape, scrape=scrape, recorded=recorded, regions=hour["regions"]))
        for name in names:
            picture = drawn / f"{name}.png"
            report = page.draw(*PICTURES[name], picture)
            empty = [panel["title"] for panel in report["panels"] if not panel["drawn"]]
            print(f"{name}: {picture.stat().st_size} bytes, empty panels: {empty or 'none'}", flush=True)
            if report["errors"] or picture.stat().st_size > PICTURE_BYTES:
                raise AssertionError(f"{name}: {report['errors'] or 'too large'}")
        for name in names:
            (grafana.SCREENSHOTS / f"{name}.png").write_bytes((drawn / f"{name}.png").read_bytes())
    if set(names) == set(PICTURES):
        grafana.DRAWN.write_text(grafana.sums(), encoding="utf-8")


def main():
    names = sys.argv[2:] or list(PICTURES)
    if len(sys.argv) < 2 or set(names) - set(PICTURES):
        sys.exit(__doc__)
    reason = prometheus.skip_reason() or renderer.skip_reason()
    if reason:
        sys.exit(f"cannot draw: {reason}")
    draw(pathlib.Path(sys.argv[1]).resolve(), names)


if __name__ == "__main__":
    main()
