"""Parses the text format of a scrape."""

import re

_LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Samples:
    """All samples of one scrape. A missing sample is a KeyError."""

    def __init__(self, text):
        self._families = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = _LINE.match(line)
                if match is None:
                    raise ValueError(f"invalid line {line!r}")
                name, labels, value = match.groups()
                self._families.setdefault(name, []).append((dict(_LABEL.findall(labels or "")), float(value)))

    def names(self):
        return set(self._families)

    def count(self):
        return sum(len(samples) for samples in self._families.values())

    def value(self, name, **labels):
        for found, value in self._families[name]:
            if found == labels:
                return value
        raise KeyError(f"{name}{labels}")

    def sum(self, name):
        return sum(value for _, value in self._families[name])

    def by(self, name, label):
        return {found[label]: value for found, value in self._families[name]}

    def rows(self, name):
        """The labels and the value of each sample of a family, which may have none."""
        return self._families.get(name, [])
