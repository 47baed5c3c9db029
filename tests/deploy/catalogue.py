"""Reads the metric catalogue from exporter/metrics/catalogue.h, and adds the metrics of Prometheus itself."""

import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = {"job", "instance"}  # labels that Prometheus adds
HISTOGRAM = (("_bucket", {"le"}), ("_sum", set()), ("_count", set()))

Metric = collections.namedtuple("Metric", "kind labels")
FROM_PROMETHEUS = {name: Metric("Gauge", set()) for name in ("up", "scrape_samples_scraped", "scrape_duration_seconds")}


def catalogue():
    """Kind and labels of each series name of a scrape."""
    text = (ROOT / "exporter" / "metrics" / "catalogue.h").read_text(encoding="utf-8")
    rows = re.findall(r'Metric\{\s*"(\w+)", k(\w+), "[^"]*", "([^"]*)"', text)
    if len(rows) != len(re.findall(r'Metric\{\s*"', text)):
        raise ValueError("exporter/metrics/catalogue.h: cannot parse all rows")
    found = {}
    for name, kind, labels in rows:
        own = set(re.findall(r"\w+", labels))
        if kind == "Histogram":
            found.update({name + suffix: Metric("Counter", own | more) for suffix, more in HISTOGRAM})
        else:
            found[name] = Metric(kind, own)
    return found
