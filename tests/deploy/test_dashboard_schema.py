#!/usr/bin/env python3
"""Tests the dashboards against a JSON schema made of Grafana's own types (npm's @grafana/schema)."""

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


# Name of the fault, function that breaks the dashboard, and a word that the error must contain.
BROKEN = (
    ("unknown key", lambda board: board.update(editabel=False), "editabel"),
    ("no schema version", lambda board: board.pop("schemaVersion"), "schemaVersion"),
    ("unknown key of a panel", lambda board: graph(board).update(titel="x"), "titel"),
    ("unknown panel type", lambda board: graph(board).update(type="timeserie"), "type"),
    ("position that is text", lambda board: graph(board)["gridPos"].update(w="8"), "gridPos/w"),
    ("unit that is a number", lambda board: defaults(board).update(unit=1), "unit"),
    ("color mode", lambda board: defaults(board)["color"].update(mode="palette"), "color/mode"),
    ("line style", lambda board: defaults(board)["custom"].update(drawStyle="lines"), "drawStyle"),
    ("threshold without color", lambda board: defaults(board)["thresholds"]["steps"][0].pop("color"), "color"),
    ("legend placement", lambda board: graph(board)["options"]["legend"].update(placement="left"), "placement"),
    ("no tooltip", lambda board: graph(board)["options"].pop("tooltip"), "tooltip"),
    ("stat option", lambda board: panel(board, "stat")["options"].update(colorMode="values"), "colorMode"),
    ("bar option", lambda board: panel(board, "bargauge")["options"].update(displayMode="bar"), "displayMode"),
    ("heatmap scale", lambda board: panel(board, "heatmap")["options"]["color"].update(scale="log"), "scale"),
    ("table option", lambda board: panel(board, "table")["options"].update(cellHeight="xs"), "cellHeight"),
    ("text mode", lambda board: panel(board, "text")["options"].update(mode="plain"), "mode"),
    ("text size", lambda board: panel(board, "stat")["options"]["text"].update(valueSize="26"), "valueSize"),
    ("override of an unknown property", lambda board: overrides(board)[0]["properties"][0].update(id="units"), "id"),
    ("override value", lambda board: overrides(board)[0]["properties"][0].update(value=[]), "value"),
    ("link without url", lambda board: defaults(board).update(links=[{"title": "x", "targetBlank": False}]), "url"),
    ("query interval", lambda board: graph(board)["targets"][0].update(interval=60), "interval"),
    ("query without a letter", lambda board: graph(board)["targets"][0].pop("refId"), "refId"),
    ("query format", lambda board: graph(board)["targets"][0].update(format="series"), "format"),
    ("variable type", lambda board: board["templating"]["list"][0].update(type="data"), "type"),
    ("variable refresh", lambda board: board["templating"]["list"][1].update(refresh=3), "refresh"),
    ("link type", lambda board: board["links"][0].update(type="board"), "type"),
    ("annotation without query", lambda board: board["annotations"]["list"][0].pop("target"), "target"),
)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(node.skip_reason())
        cls.node = node.Programs(HERE / "schema")
        cls.node.run("npx", "--no-install", "ts-json-schema-generator", "--path", "dashboard.ts", "--type", "Dashboard",
                     "--tsconfig", "tsconfig.json", "--out", "schema.json")

    def faults(self, *files):
        code, printed = self.node.call("node", "validate.mjs", "schema.json", *files)
        self.assertEqual(code, 1 if printed else 0, printed)
        return printed.splitlines()

    def test_dashboards_are_valid(self):
        self.assertEqual(len(grafana.files()), 3)
        self.assertEqual(self.faults(*grafana.files()), [])

    def test_broken_dashboards_are_invalid(self):
        boards = [grafana.board(file) for file in grafana.files()]
        sound = {**boards[-1], "panels": [panel for board in boards for panel in board["panels"]]}
        with tempfile.TemporaryDirectory(prefix="procevent-schema-") as folder:
            for number, (name, breaks, _) in enumerate(BROKEN):
                board = copy.deepcopy(sound)
                breaks(board)
                pathlib.Path(folder, f"{number}.json").write_text(json.dumps(board), encoding="utf-8")
            found = self.faults(*(pathlib.Path(folder, f"{number}.json") for number in range(len(BROKEN))))
        for number, (name, _, named) in enumerate(BROKEN):
            with self.subTest(name):
                faults = [fault.partition(": ")[2] for fault in found if f"/{number}.json: " in fault]
                self.assertTrue(faults and any(named in fault for fault in faults), faults)


if __name__ == "__main__":
    harness.main()
