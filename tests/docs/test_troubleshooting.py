"""Checks docs/troubleshooting.md against the sources: each message of the page exists, and each warning has a row.

A message on the page is a fragment of a text in the sources. `...` stands for what the exporter inserts; each part
around it must be such a fragment. The texts of system errors, such as "Address already in use", count as well.
"""

import ast
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402
import pages  # noqa: E402
from pages import ROOT  # noqa: E402

PAGE = "docs/troubleshooting.md"
HEAD = "| message |"
FOLDERS = ("cmd", "config", "core", "exporter")
LITERAL = r'"(?:\\.|[^"\\\n])*"'
OTHER = re.compile(rf"({LITERAL})|//[^\n]*|'(?:\\.|[^'\\])'")  # comments and characters
LITERALS = re.compile(rf"{LITERAL}(?:\s*{LITERAL})*")  # adjacent literals are one text
CANNOT = "cannot "  # Describe() in core/base/result.h writes it before the operation


def without_comments(source):
    return OTHER.sub(lambda match: match.group(1) or "", source)


def texts_of(source):
    """The string literals of a C++ source, without those in comments."""
    return ["".join(literal[1:-1] for literal in re.findall(LITERAL, match))
            for match in LITERALS.findall(without_comments(source))]


def all_sources():
    return [path.read_text(encoding="utf-8") for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.cc"))
            + sorted((ROOT / folder).rglob("*.h"))]


def messages(page):
    """The code spans in the first column of the tables of messages."""
    found = []
    in_table = False
    for line in page.splitlines():
        in_table = line.startswith(HEAD) or in_table and line.startswith("|")
        if in_table and not line.startswith((HEAD, "| ---")):
            found += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return found


def parts(message):
    """The fixed parts of a message."""
    errors = "|".join(re.escape(os.strerror(code)) for code in range(1, 134))
    fixed = re.sub(rf": (?:{errors})$", " ... ", message)
    return [part.strip(" :") for part in fixed.split("...") if part.strip(" :")]


def is_known(part, texts):
    """A fragment of one text, or `cannot` with an operation, or both with a colon between them."""
    operation = part.removeprefix(CANNOT)
    before, colon, cause = part.partition(": ")
    return (any(part in text for text in texts) or operation != part and operation in texts
            or bool(colon) and is_known(before, texts) and is_known(cause, texts))


def unknown(page, texts):
    return [message for message in messages(page) if not all(is_known(part, texts) for part in parts(message))]


def warnings(source):
    """The beginnings of the literals that a source logs as a warning or an error."""
    found = re.findall(rf"LogLevel::k(?:Warning|Error),\s*({LITERAL})", without_comments(source))
    return [ast.literal_eval(literal) for literal in found]


def undocumented(page, sources):
    known = messages(page)
    return [text for source in sources for text in warnings(source) if not any(message in text for message in known)]


class Troubleshooting(unittest.TestCase):
    def test_messages_exist(self):
        texts = [text for source in all_sources() for text in texts_of(source)]
        self.assertGreater(len(messages(pages.read(PAGE))), 60)
        self.assertEqual(unknown(pages.read(PAGE), texts), [])

    def test_warnings_have_a_row(self):
        self.assertGreater(sum(len(warnings(source)) for source in all_sources()), 8)
        self.assertEqual(undocumented(pages.read(PAGE), all_sources()), [])

    def test_faults_are_found(self):
        source = ('// "old text"\nx = \'"\'; log({LogLevel::kWarning, "disk "\n  "slow"});\n'
                  'return {"open the door", code};\n')
        texts = texts_of(source)
        self.assertEqual(texts, ["disk slow", "open the door"])
        page = HEAD + " x |\n| --- | --- |\n| `{}` | `other` |\n\n| `not a message` |\n"
        for message in ("disk slow", "cannot open the door", "cannot open the door ...: Permission denied",
                        "cannot open the door: disk slow"):
            self.assertEqual(unknown(page.format(message), texts), [], message)
        for message in ("old text", "disk fast", "cannot open the", "disk slow ... now", "Permission denied"):
            self.assertEqual(unknown(page.format(message), texts), [message])
        self.assertEqual(undocumented(page.format("door"), [source]), ["disk "])
        self.assertEqual(undocumented(page.format("disk "), [source]), [])


if __name__ == "__main__":
    harness.main()
