"""The dashboards as they are committed, and their expressions as Grafana asks them."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "deploy" / "grafana"


def files():
    return sorted((FOLDER / "dashboards").glob("*.json"))


def board(file):
    return json.loads(file.read_text(encoding="utf-8"))


def interpolated(text, job=".+", instance=".+", rate_interval="4s", shown="1h"):
    """With the variables' values, as regular expressions where they are several."""
    values = {"$__rate_interval": rate_interval, "$__range": shown, "$job": job, "$instance": instance}
    return re.sub(r"\$\w+", lambda match: values[match[0]], text)


def label_values(query):
    """Of a variable's query: selector and label."""
    return re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
