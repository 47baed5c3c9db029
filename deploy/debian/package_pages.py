#!/usr/bin/env python3
"""Writes the pages of the Debian package: README.md and docs/*.md without pictures, and without links to files that
the package does not contain.

Usage: package_pages.py SOURCES OUTPUT. A removed link leaves its text.
"""

import pathlib
import posixpath
import re
import sys

# A fenced block, a link (text and target), or inline code. A link's text may contain inline code.
PART = re.compile(r"(?ms)^ *```.*?^ *```$|\[((?:[^\[\]`]|`[^`]*`)+)\]\(([^()\s]+)\)|`[^`]*`")
PICTURES = re.compile(r"(?m)^(?:!\[[^\]]*\]\([^()]*\)\n)+\n?")


def pages(sources):
    """The paths of the packaged pages, relative to the sources."""
    return ["README.md", *sorted(f"docs/{path.name}" for path in (sources / "docs").glob("*.md"))]


def is_kept(target, page, packaged):
    """Whether the target of a link resolves in the package."""
    if re.match(r"https?:|#", target):
        return True
    path = posixpath.join(posixpath.dirname(page), target.partition("#")[0])
    return posixpath.normpath(path) in packaged


def page_for_package(text, page, packaged):
    def part(match):
        is_removed = match[2] and not is_kept(match[2], page, packaged)
        return match[1] if is_removed else match[0]

    return PART.sub(part, PICTURES.sub("", text))


def main(sources, output):
    packaged = pages(sources)
    for page in packaged:
        (output / page).parent.mkdir(parents=True, exist_ok=True)
        text = (sources / page).read_text(encoding="utf-8")
        (output / page).write_text(page_for_package(text, page, packaged), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: package_pages.py SOURCES OUTPUT")
    main(*map(pathlib.Path, sys.argv[1:]))
