"""Shortens the windows of rules and dashboards for tests: an hour takes 20 seconds, a day 40."""

import pathlib
import re

from rule_files import RECORDING, text_of

SHORT_WINDOWS = {"2m": "5s", "5m": "10s", "15m": "15s", "1h": "20s", "1d": "40s"}


def shorten(text):
    """Sets intervals to a second and shortens windows and offsets. The 300 records that a baseline needs become 10."""
    text = re.sub(r"(interval: )\d+[sm]", r"\g<1>1s", text)
    text = re.sub(r"(>= )300\b", r"\g<1>10", text)
    return re.sub(r"(\[|offset )(\d+[smhd])", lambda match: match[1] + SHORT_WINDOWS[match[2]], text)


def write_to(directory, names=RECORDING):
    """Writes the shortened files to the directory and returns their paths."""
    files = [pathlib.Path(directory, name) for name in names]
    for file in files:
        file.write_text(shorten(text_of("deploy", "prometheus", file.name)), encoding="utf-8")
    return [str(file) for file in files]
