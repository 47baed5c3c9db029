#!/usr/bin/env python3
"""Grafana's own types (npm's @grafana/schema) as a JSON schema: the dashboards are what they say, all of it."""

import copy
import json
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import grafana  # noqa: E402
import harness  # noqa: E402
import node  # noqa: E402


def panel(board, kind):
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def graph(board):
    return panel(board, "timeseries")


def defaults(board):
    return graph(board)["fieldConfig"]["defaults"]


def overrides(board):
    return next(panel["fieldConfig"]["overrides"] for panel in board["panels"]
                if panel.get("fieldConfig", {}).get("overrides"))


# What is broken, how, and what the fault must name.
BROKEN = (
    ("a key that is none", lambda board: board.update(editabel=False), "editabel"),
    ("no version of the schema", lambda board: board.pop("schemaVersion"), "schemaVersion"),
    ("a key of a panel", lambda board: graph(board).update(titel="x"), "titel"),
    ("a kind of panel", lambda board: graph(board).update(type="timeserie"), "type"),
    ("a place in words", lambda board: graph(board)["gridPos"].update(w="8"), "gridPos/w"),
    ("a unit that is a number", lambda board: defaults(board).update(unit=1), "unit"),
    ("a color's mode", lambda board: defaults(board)["color"].update(mode="palette"), "color/mode"),
    ("a style of lines", lambda board: defaults(board)["custom"].update(drawStyle="lines"), "drawStyle"),
    ("a step without a color", lambda board: defaults(board)["thresholds"]["steps"][0].pop("color"), "color"),
    ("a legend's place", lambda board: graph(board)["options"]["legend"].update(placement="left"), "placement"),
    ("no tooltip", lambda board: graph(board)["options"].pop("tooltip"), "tooltip"),
    ("a stat's option", lambda board: panel(board, "stat")["options"].update(colorMode="values"), "colorMode"),
    ("a bar's option", lambda board: panel(board, "bargauge")["options"].update(displayMode="bar"), "displayMode"),
    ("a heatmap's scale", lambda board: panel(board, "heatmap")["options"]["color"].update(scale="log"), "scale"),
    ("a table's option", lambda board: panel(board, "table")["options"].update(cellHeight="xs"), "cellHeight"),
    ("an override of nothing", lambda board: overrides(board)[0]["properties"][0].update(id="units"), "id"),
    ("an override's value", lambda board: overrides(board)[0]["properties"][0].update(value=[]), "value"),
    ("a link's address", lambda board: defaults(board).update(links=[{"title": "x", "targetBlank": False}]), "url"),
    ("a query's steps", lambda board: graph(board)["targets"][0].update(interval=60), "interval"),
    ("a query without a letter", lambda board: graph(board)["targets"][0].pop("refId"), "refId"),
    ("a query's format", lambda board: graph(board)["targets"][0].update(format="series"), "format"),
    ("a kind of variable", lambda board: board["templating"]["list"][0].update(type="data"), "type"),
    ("a variable's refresh", lambda board: board["templating"]["list"][1].update(refresh=3), "refresh"),
    ("a link's kind", lambda board: board["links"][0].update(type="board"), "type"),
    ("an annotation's query", lambda board: board["annotations"]["list"][0].pop("target"), "target"),
)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(node.why_not())
        cls.node = node.Programs(HERE / "schema")
        cls.node.run("npx", "--no-install", "ts-json-schema-generator", "--path", "dashboard.ts", "--type", "Dashboard",
                     "--tsconfig", "tsconfig.json", "--out", "schema.json")

    def faults(self, *files):
        code, printed = self.node.call("node", "validate.mjs", "schema.json", *files)
        self.assertEqual(code, 1 if printed else 0, printed)
        return printed.splitlines()

    def test_the_dashboards_are_valid(self):
        self.assertEqual(len(grafana.files()), 3)
        self.assertEqual(self.faults(*grafana.files()), [])

    def test_what_is_broken_is_found(self):
        sound = grafana.board(grafana.FOLDER / "dashboards" / "fork-storms.json")
        with tempfile.TemporaryDirectory(prefix="procevent-schema-") as folder:
            for number, (name, breaks, _) in enumerate(BROKEN):
                board = copy.deepcopy(sound)
                breaks(board)
                pathlib.Path(folder, f"{number}.json").write_text(json.dumps(board), encoding="utf-8")
            found = self.faults(*(pathlib.Path(folder, f"{number}.json") for number in range(len(BROKEN))))
        for number, (name, _, named) in enumerate(BROKEN):
            with self.subTest(name):
                of_this = [fault.partition(": ")[2] for fault in found if f"/{number}.json: " in fault]
                self.assertTrue(of_this and any(named in fault for fault in of_this), of_this)


if __name__ == "__main__":
    harness.main()
