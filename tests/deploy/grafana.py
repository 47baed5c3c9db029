"""Reads the committed dashboards, and replaces variables in expressions as Grafana does."""

import hashlib
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "deploy" / "grafana"
SCREENSHOTS = FOLDER / "screenshots"
DRAWN = SCREENSHOTS / "drawn_of.sha256"  # hashes of the dashboards that the pictures show


def files():
    return sorted((FOLDER / "dashboards").glob("*.json"))


def sums():
    """Hashes of the dashboards in the format of `sha256sum --check`, relative to the pictures."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ../dashboards/{file.name}\n" for file in files())


def board(file):
    return json.loads(file.read_text(encoding="utf-8"))


def interpolated(text, end, shown, job=".+", instance=".+", step=3, rate_interval=4):
    """The text with the values of variables. Variables of several values are regular expressions, times seconds."""
    values = {"$__interval": f"{step}s", "$__rate_interval": f"{rate_interval}s",
              "$__rate_interval_ms": f"{1000 * rate_interval}", "$__range": f"{shown}s", "$__range_s": f"{shown}",
              "$__from": f"{1000 * (end - shown):.0f}", "$job": job, "$instance": instance}
    return re.sub(r"\$\w+", lambda match: values[match[0]], text)


def label_values(query):
    """Selector and label of a variable's query."""
    return re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
