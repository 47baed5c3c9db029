"""README.md taken apart: its fenced blocks, and the commands and expressions in them."""

import collections
import re

# Also commands where they stand in a sentence; a table's are not.
INLINE = ("deploy/run.sh", "procevent_exporter", "grep")
# What makes a line of PromQL go on with the line before it.
_GOES_ON = re.compile(r"\s*([-+*/%^<>=!)]|(and|or|unless|on|ignoring|by|without|group_left|group_right|offset|bool)\b)")

Block = collections.namedtuple("Block", "line language text")


def blocks(text):
    """The fenced blocks, with the numbers of their first lines."""
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
        raise ValueError(f"line {opened.line}: this block has no end")
    return found


def without_comment(line):
    """A `#` between quotes, or within a word, begins no comment."""
    return re.match(r"""(?: "(?:\\.|[^"\\])*" | '[^']*' | (?<!\s)\# | [^"'\#] )*""", " " + line, re.VERBOSE).group()[1:]


def commands(text):
    """Of a block of shell: one a line, but for lines that end in a backslash; in single spaces, without comments."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [command for command in (" ".join(without_comment(line).split()) for line in lines) if command]


def expressions(text):
    """Of a block of PromQL: one a line, but for lines that plainly go on."""
    found = []
    for line in (without_comment(line).rstrip() for line in text.splitlines()):
        if line and found and (_GOES_ON.match(line) or found[-1].count("(") > found[-1].count(")")):
            found[-1] += " " + line.strip()
        elif line:
            found.append(line.strip())
    return found


def inline_commands(text):
    """Those in sentences: code between single backticks whose first word is one of INLINE, with arguments."""
    outside = re.sub(r"(?ms)^\s*```.*?^\s*```$|^\|.*?$", "", text)
    spans = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside))
    return [span for span in spans if span.split()[0] in INLINE and " " in span]
