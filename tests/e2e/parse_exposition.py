"""Parses a page by the Python client of Prometheus: `parse_exposition.py plain|openmetrics < PAGE` prints its families
as JSON. Exits with 1 if the parser rejects the page."""

import json
import sys

import prometheus_client.openmetrics.parser
import prometheus_client.parser

PARSERS = {"plain": prometheus_client.parser, "openmetrics": prometheus_client.openmetrics.parser}


def parse(module, text):
    return [{"name": family.name, "type": family.type, "unit": family.unit, "help": family.documentation,
             "samples": [[sample.name, sample.labels, sample.value, sample.exemplar and sample.exemplar._asdict()]
                         for sample in family.samples]}
            for family in module.text_string_to_metric_families(text)]


if __name__ == "__main__":
    json.dump(parse(PARSERS[sys.argv[1]], sys.stdin.read()), sys.stdout, default=float)
