#!/usr/bin/env python3
"""Prints the manual page: procevent_exporter.1.in, with the flags and commands that the binary's --help tells.

Use: man_page.py BINARY. A line of the help that is of no known form is an error: nothing is left out silently.
"""

import pathlib
import re
import subprocess
import sys

TEMPLATE = pathlib.Path(__file__).resolve().parent / "procevent_exporter.1.in"
HELP = "-h,--help"
HEADINGS = ("Positionals:", "Options:", "Subcommands:")


class Help:
    """What --help said, in parts: a description, how to call it, entries by heading, and remarks at the end."""

    def __init__(self, text):
        self.description, self.usage, *lines = text.rstrip("\n").split("\n")
        if not self.usage.startswith("Usage: "):
            raise ValueError(f"no line of use: {self.usage!r}")
        self.entries = {heading: [] for heading in HEADINGS}
        self.remarks = []
        heading = None
        for line in lines:
            entry = re.fullmatch(r"  (\S+(?: \S+)*)(?: {2,}(\S.*))?", line)
            goes_on = re.fullmatch(r" {20,}(\S.*)", line)
            if line in HEADINGS:
                heading = line
            elif goes_on and heading:
                name, text = self.entries[heading].pop()
                self.entries[heading].append((name, f"{text} {goes_on.group(1)}".strip()))
            elif entry and heading:
                self.entries[heading].append((entry.group(1), entry.group(2) or ""))
            elif line and not line.startswith(" "):
                heading = None
                self.remarks.append(line)
            elif line:
                raise ValueError(f"of no known form: {line!r}")


def ask(binary, *arguments):
    return subprocess.run([binary, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=True).stdout


def escaped(text):
    """As it stands, in roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def flag(name):
    """"--log.level LEVEL" in bold and italics, as one may write it."""
    names, _, value = name.removesuffix(" ...").partition(" ")
    bold = ", ".join(f"\\fB{escaped(one)}\\fR" for one in names.split(","))
    return bold + (f"=\\fI{escaped(value)}\\fR" if value else "")


def options(found, without=()):
    return [line for name, text in found.entries["Options:"] if name not in without
            for line in (".TP", flag(name), f"{escaped(text)}.")]


def words(usage):
    """"procevent_exporter decode [OPTIONS] [FILE]": the program bold, what stands for others in italics."""
    spoken = []
    for word in usage.removeprefix("Usage: ").split():
        plain = word.strip("[]").lower() if word == "[OPTIONS]" else word.strip("[]")
        shown = f"\\fI{escaped(plain)}\\fR" if plain.isupper() or word == "[OPTIONS]" else f"\\fB{escaped(plain)}\\fR"
        spoken.append(f"[{shown}]" if word.startswith("[") else shown)
    return " ".join(spoken)


def command(name, found):
    """A subsection: what it does, how to call it, and what it takes."""
    lines = [f".SS {escaped(name)}", words(found.usage), ".PP", f"{escaped(found.description)}."]
    for positional, text in found.entries["Positionals:"]:
        lines += [".TP", f"\\fI{escaped(positional.split()[0])}\\fR", f"{escaped(text)}."]
    lines += options(found, without=(HELP,))
    return lines + [line for remark in found.remarks for line in (".PP", escaped(remark))]


def page(binary):
    program = Help(ask(binary, "--help"))
    if program.entries["Positionals:"] or not program.entries["Subcommands:"]:
        raise ValueError("the help is another than this page was made for")
    commands = {name: Help(ask(binary, name, "--help")) for name, _ in program.entries["Subcommands:"]}
    synopsis = [line for found in commands.values() for line in (".br", words(found.usage))]
    parts = {
        "@VERSION@": [ask(binary, "--version").strip()],
        "@SYNOPSIS@": ["\\fBprocevent_exporter\\fR [\\fIoptions\\fR]", *synopsis],
        "@OPTIONS@": options(program),
        "@COMMANDS@": [line for name, found in commands.items() for line in command(name, found)],
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, lines in parts.items():
        if text.count(name) != 1:
            raise ValueError(f"{TEMPLATE.name} must have {name} once")
        text = text.replace(name, "\n".join(lines))
    return text


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: man_page.py BINARY")
    sys.stdout.write(page(sys.argv[1]))
