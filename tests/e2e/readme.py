"""Extracts fenced blocks, commands and PromQL expressions from README.md."""

import collections
import re

# First words of inline code that is a command. Tables are skipped.
INLINE = ("deploy/run.sh", "procevent_exporter", "grep")
# Beginning of a PromQL line that continues the line before.
_CONTINUATION = re.compile(
    r"\s*([-+*/%^<>=!)]|(and|or|unless|on|ignoring|by|without|group_left|group_right|offset|bool)\b)")

Block = collections.namedtuple("Block", "line language text")


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
    """Inline code with a first word of INLINE and arguments."""
    outside = re.sub(r"(?ms)^\s*```.*?^\s*```$|^\|.*?$", "", text)
    spans = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside))
    return [span for span in spans if span.split()[0] in INLINE and " " in span]
