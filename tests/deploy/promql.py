"""Extracts selectors and labels from PromQL expressions. Expects expressions that Prometheus accepts."""

import collections
import re

OPERATORS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}

# `function` is the function that is applied to the series, or "". `range` is the text between the brackets.
Selector = collections.namedtuple("Selector", "metric matchers range function")

_STRING = r'"(?:\\.|[^"\\])*"'
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(rf'{_STRING}|(?P<name>[a-zA-Z_:][\w:]*)(?P<matchers>\{{(?:{_STRING}|[^}}"])*\}})?'
                       r"(?:\[(?P<range>[^\]]*)\])?")
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({_STRING})")


def selectors(expression):
    found = []
    text = _GROUPING.sub("", expression)
    for match in _SELECTOR.finditer(text):
        before, after = text[:match.start()].rstrip(), text[match.end():].lstrip()
        known = match["name"] in OPERATORS | {None}  # None: a string
        if known or after.startswith("(") or before.endswith("@") or before[-1:].isdigit():
            continue
        function = re.search(r"(\w+)\s*\($", before)
        found.append(Selector(match["name"], _MATCHER.findall(match["matchers"] or ""), match["range"],
                              function[1] if function else ""))
    return found


def grouped_by(expression):
    """All labels of groupings and joins in the expression."""
    found = (label.strip() for _, labels in _GROUPING.findall(expression) for label in labels.split(","))
    return {label for label in found if label}


def without_totals(expression):
    """The expression with each aggregation to a single value, such as sum(...), replaced by a number."""
    while match := re.search(r"\b(sum|max|min|count)\s*\(", expression):
        depth, end = 1, match.end()
        while depth and end < len(expression):
            quoted = re.match(_STRING, expression[end:])
            depth += {"(": 1, ")": -1}.get(expression[end], 0)
            end += quoted.end() if quoted else 1
        expression = f"{expression[:match.start()]}1{expression[end:]}"
    return expression
