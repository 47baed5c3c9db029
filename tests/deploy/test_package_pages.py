#!/usr/bin/env python3
"""Tests deploy/debian/package_pages.py, which writes the pages of the Debian package."""

import pathlib
import posixpath
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "deploy" / "debian")]

import harness  # noqa: E402
import package_pages  # noqa: E402

PACKAGED = ("README.md", "docs/README.md", "docs/alerts.md")
CASES = [  # page, its text, and the text for the package
    ("README.md", "See [a](docs/alerts.md#x), [b](CONTRIBUTING.md) and [c](deploy/prometheus).",
     "See [a](docs/alerts.md#x), b and c."),
    ("docs/README.md", "[a](alerts.md) [b](../README.md#c) [c](../LICENSE) [d](../deploy/x.yml) [e](#f)",
     "[a](alerts.md) [b](../README.md#c) c d [e](#f)"),
    ("docs/README.md", "[a](no.md) [b](docs/alerts.md) [c](https://example.org/d.md)",
     "a b [c](https://example.org/d.md)"),
    ("docs/alerts.md", "[over two\nlines](../CONTRIBUTING.md) and [the key `a[0]`](../config) and [`b`](../c.h)",
     "over two\nlines and the key `a[0]` and `b`"),
    ("docs/alerts.md", "`[a](b)` and\n```cpp\n[x](int)\n```\n[a](b)", "`[a](b)` and\n```cpp\n[x](int)\n```\na"),
    ("README.md", "Text.\n\n![one](a.png)\n\n![two](b.png)\n\nMore.\n", "Text.\n\nMore.\n"),
]


class PackagePages(unittest.TestCase):
    def test_cases(self):
        for page, text, wanted in CASES:
            with self.subTest(text):
                self.assertEqual(package_pages.page_for_package(text, page, PACKAGED), wanted)

    def test_pages_link_only_to_packaged_files(self):
        """They have no pictures. All lines without a link are those of the sources."""
        packaged = package_pages.pages(ROOT)
        self.assertLessEqual({"README.md", "docs/README.md", "docs/metrics.md"}, set(packaged))
        for name in packaged:
            ours = (ROOT / name).read_text(encoding="utf-8")
            packed = package_pages.page_for_package(ours, name, packaged)
            prose = re.sub(r"(?ms)^ *```.*?^ *```$|`[^`]*`", "code", packed)
            with self.subTest(name):
                self.assertNotIn("![", prose)
                targets = {target.partition("#")[0] for target in re.findall(r"\]\((?!https?:|#)([^()\s]+)\)", prose)}
                paths = {posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in targets}
                self.assertEqual(paths - set(packaged), set())
                plain = [line for line in ours.splitlines() if line and not re.search(r"\[|\]\(", line)]
                self.assertEqual([line for line in packed.splitlines() if line in set(plain)], plain)


if __name__ == "__main__":
    harness.main()
