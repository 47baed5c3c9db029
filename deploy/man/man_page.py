#!/usr/bin/env python3
"""Prints the manual page: procevent_exporter.1.in with the flags and commands of the binary's --help.

Usage: man_page.py BINARY. A line of the help that cannot be parsed is an error, so that nothing is left out.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

TEMPLATE = pathlib.Path(__file__).resolve().parent / "procevent_exporter.1.in"
HELP = "-h, --help"
HEADINGS = ("Arguments:", "Flags:", "Commands:")


class Help:
    """A parsed --help: description, usage, entries by heading, and remarks at the end."""

    def __init__(self, text):
        self.description, self.usage, *lines = text.rstrip("\n").split("\n")
        if not self.usage.startswith("Usage: "):
            raise ValueError(f"invalid usage line {self.usage!r}: expected \"Usage: \"")
        self.entries = {heading: [] for heading in HEADINGS}
        self.remarks = []
        heading = None
        for line in lines:
            entry = re.fullmatch(r"  (\S+(?: \S+)*)(?: {2,}(\S.*))?", line)
            continuation = re.fullmatch(r" {20,}(\S.*)", line)
            if line in HEADINGS:
                heading = line
            elif continuation and heading:
                name, text = self.entries[heading].pop()
                self.entries[heading].append((name, f"{text} {continuation.group(1)}".strip()))
            elif entry and heading:
                self.entries[heading].append((entry.group(1), entry.group(2) or ""))
            elif line and not line.startswith(" "):
                heading = None
                self.remarks.append(line)
            elif line:
                raise ValueError(f"cannot parse line {line!r}")


def run(binary, *arguments):
    return subprocess.run([binary, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=True).stdout


def escaped(text):
    """The text with roff's special characters escaped."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def paragraph(text):
    """A sentence in lines of at most 80 bytes."""
    lines = textwrap.wrap(text.removesuffix(".") + ".", width=70, break_on_hyphens=False)
    return [escaped(line) for line in lines]


def flag(name):
    """A flag such as "--log.level LEVEL" in bold and italics, as `--log.level=LEVEL`."""
    names, _, value = name.replace(", -", ",-").partition(" ")
    bold = ", ".join(f"\\fB{escaped(one)}\\fR" for one in names.split(","))
    return bold + (f"=\\fI{escaped(value)}\\fR" if value else "")


def options(found, without=()):
    return [line for name, text in found.entries["Flags:"] if name not in without
            for line in (".TP", flag(name), *paragraph(text))]


def synopsis(usage):
    """A usage line such as "procevent_exporter decode [FLAG]... [FILE]", with placeholders in italics."""
    formatted = []
    for word in usage.removeprefix("Usage: ").split():
        name = word.strip("[].")
        formatted.append(word.replace(name, f"\\f{'I' if name.isupper() else 'B'}{escaped(name)}\\fR"))
    return " ".join(formatted)


def command(name, found):
    """The subsection of a command: description, usage, arguments and options."""
    lines = [f".SS {escaped(name)}", synopsis(found.usage), ".PP", *paragraph(found.description)]
    for positional, text in found.entries["Arguments:"]:
        lines += [".TP", f"\\fI{escaped(positional)}\\fR", *paragraph(text)]
    lines += options(found, without=(HELP,))
    return lines + [line for remark in found.remarks for line in (".PP", *paragraph(remark))]


def page(binary):
    program = Help(run(binary, "--help"))
    if program.entries["Arguments:"] or not program.entries["Commands:"]:
        raise ValueError("unexpected --help: arguments or no commands")
    commands = {name: Help(run(binary, name, "--help")) for name, _ in program.entries["Commands:"]}
    synopses = [line for found in commands.values() for line in (".br", synopsis(found.usage))]
    parts = {
        "@VERSION@": [run(binary, "--version").strip()],
        "@SYNOPSIS@": [synopsis(program.usage), *synopses],
        "@DESCRIPTION@": paragraph(program.description),
        "@OPTIONS@": options(program),
        "@COMMANDS@": [line for name, found in commands.items() for line in command(name, found)],
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, lines in parts.items():
        if text.count(name) != 1:
            raise ValueError(f"{TEMPLATE.name}: {name}: expected once")
        text = text.replace(name, "\n".join(lines))
    return text


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: man_page.py BINARY")
    sys.stdout.write(page(sys.argv[1]))
