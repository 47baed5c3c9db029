"""Reads the project's pages: README.md, the other pages of the root, and docs/*.md."""

import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OF_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
# Beginnings of inline code that is a command.
INLINE = ("PROCEVENT_REFRESH_GOLDEN=", "apt-get ", "deploy/", "grep ", "journalctl ", "kill ", "procevent_exporter ",
          "sysctl ", "systemctl ", "tests/run.sh ")
# Beginning of a PromQL line that continues the line before.
_CONTINUATION = re.compile(
    r"\s*([-+*/%^<>=!)]|(and|or|unless|on|ignoring|by|without|group_left|group_right|offset|bool)\b)")

Block = collections.namedtuple("Block", "line language text")


def names():
    """The paths of all pages, relative to the root."""
    docs = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
    return [name for name in OF_ROOT if (ROOT / name).is_file()] + docs


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text):
    """The fenced blocks with their line numbers."""
    found = []
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"\s*```(.*)$", line)
        if fence and opened is None:
            opened = Block(number, fence.group(1).strip(), [])
        elif fence:
            found.append(opened._replace(text="\n".join(opened.text)))
            opened = None
        elif opened is not None:
            opened.text.append(line)
    if opened is not None:
        raise ValueError(f"line {opened.line}: block is not closed")
    return found


def blocks_of(language):
    """(page, block) for each block of that language on any page."""
    return [(name, block) for name in names() for block in blocks(read(name)) if block.language == language]


def prose(text):
    """The text without fenced blocks."""
    return re.sub(r"(?ms)^\s*```.*?^\s*```$", "", text)


def without_comment(line):
    """The line without its comment. A `#` in quotes or within a word begins no comment."""
    return re.match(r"""(?: "(?:\\.|[^"\\])*" | '[^']*' | (?<!\s)\# | [^"'\#] )*""", " " + line, re.VERBOSE).group()[1:]


def commands(text):
    """The commands of a shell block, with continuation lines joined, single spaces, and no comments."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [command for command in (" ".join(without_comment(line).split()) for line in lines) if command]


def expressions(text):
    """The expressions of a PromQL block, with continuation lines joined."""
    found = []
    for line in (without_comment(line).rstrip() for line in text.splitlines()):
        if line and found and (_CONTINUATION.match(line) or found[-1].count("(") > found[-1].count(")")):
            found[-1] += " " + line.strip()
        elif line:
            found.append(line.strip())
    return found


def inline_commands(text):
    """Inline code, also in tables, that begins with one of INLINE and has arguments."""
    spans = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text)))
    return [span for span in spans if span.startswith(INLINE) and " " in span]


def all_commands(text):
    """Each command of the page once, in blocks and in sentences."""
    found = [command for block in blocks(text) if block.language == "sh" for command in commands(block.text)]
    return list(dict.fromkeys(found + inline_commands(text)))


def headings(text):
    """The titles of the page's headings."""
    return re.findall(r"(?m)^#+ (.*)$", prose(text))


def anchors(text):
    """The anchors of the headings, as GitHub makes them."""
    seen = collections.Counter()
    found = set()
    for heading in headings(text):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def links(text):
    """The targets of links and pictures."""
    return re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "code", prose(text)))
