#!/usr/bin/env python3
"""Finds includes that go up or sideways: `check_floors.py [ROOT]`. Prints each as file:line and exits 1 if there are any.

The rules are the tables below. Every include counts, also one that the preprocessor would skip: what a floor may know
does not depend on a build's options."""

import pathlib
import re
import sys

# What each room may include of ours, besides itself.
MAY_INCLUDE = {
    "core/base": set(),
    "core/protocol": {"core/base"},
    "core/ledger": {"core/base", "core/protocol"},
    "core/source": {"core/base", "core/protocol"},
    "core/lookup": {"core/base", "core/protocol", "core/source"},
    "core/reader": {"core/base", "core/protocol", "core/ledger", "core/source"},
    "core/procevent.h": {"core/base", "core/protocol", "core/source", "core/lookup"},  # the library in one header
    "exporter": {"core"},
    "config": {"core", "exporter"},
    "cmd": {"core", "exporter", "config"},
}
FLOORS = {room.split("/")[0] for room in MAY_INCLUDE}

# The only floor that may include a third party. A header with a dot or a slash that is in no table is refused.
THIRD_PARTIES = {
    "yaml-cpp": "config",
    "prometheus": "exporter",
    "civetweb.h": "exporter",
    "zlib.h": "exporter",
    "CLI": "cmd",
    "spdlog": "cmd",
    "nlohmann": "cmd",
    "pcap": "core",
    "re2": "core",
}
# Of the system: the C library and the kernel's interface. Only core and cmd talk to the kernel.
SYSTEM = {"sys", "linux", "net", "netinet", "arpa", "asm"}
C_LIBRARY = {
    "dirent.h", "errno.h", "fcntl.h", "fnmatch.h", "poll.h", "pthread.h", "pwd.h", "sched.h", "signal.h", "stdio.h",
    "stdio_ext.h", "stdlib.h", "string.h", "syscall.h", "time.h", "ucontext.h", "unistd.h", "grp.h", "netdb.h", "spawn.h",
    "limits.h", "malloc.h",
}

INCLUDE = re.compile(r"""^\s*(?:\#|%:)\s*(?:include|include_next|import)\b\s*(?P<what>.*)$""")
QUOTED = re.compile(r"""^(?P<open>["<])(?P<name>[^">]+)[">]""")
SPLICED = re.compile(r"(?:[^\n]*\\\n)+[^\n]*")
RAW_STRING = r"""R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)\""""
COMMENT = re.compile(
    RAW_STRING + r"""|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)


def as_the_preprocessor_sees(text):
    """The same lines, continued ones joined, without comments and raw strings; other literals stay."""

    def join(match):
        return match.group().replace("\\\n", "") + "\n" * match.group().count("\\\n")

    def blank(match):
        found = match.group()
        return " " + "\n" * found.count("\n") if found.startswith(("//", "/*", "R")) else found

    return COMMENT.sub(blank, SPLICED.sub(join, text))


def room_of(path):
    """The room that a path like core/ledger/ledger.h lies in, or None."""
    if path in MAY_INCLUDE:
        return path
    parts = path.split("/")
    if parts[0] == "core":
        return "/".join(parts[:2]) if len(parts) > 2 else "core"
    return parts[0] if parts[0] in FLOORS else None


def may_include(room, other):
    return other == room or other in MAY_INCLUDE[room] or other.split("/")[0] in MAY_INCLUDE[room]


def fault_of_third_party(room, name):
    first = name.split("/")[0]
    if first in THIRD_PARTIES:
        owner = THIRD_PARTIES[first]
        return None if room.split("/")[0] == owner else f"only {owner} may know {first}"
    if first in SYSTEM or name in C_LIBRARY or "." not in name and "/" not in name:
        return None
    return f"'{name}' is neither ours nor in the tables of check_floors.py"


def fault_of(root, room, what):
    """What is wrong with one include, or None."""
    quoted = QUOTED.match(what)
    if not quoted:
        return f"an include must name its file, not compute it: {what.strip()}"
    name = quoted["name"]
    if ".." in name.split("/") or "." in name.split("/") or name.startswith("/"):
        return f"'{name}': name it from the root"
    other = room_of(name)
    if name.split("/")[0] == "tests":
        return f"'{name}': the product knows no tests"
    if other is None and quoted["open"] == '"':
        return f"'{name}': our headers are named from the root, others in <>"
    if other is None:
        return fault_of_third_party(room, name)
    if quoted["open"] == "<":
        return f"'{name}': our own headers stand in quotes"
    if not (root / name).is_file():
        return f"'{name}': there is no such file"
    if not may_include(room, other):
        return f"{room} may not know {other} ('{name}')"
    return None


def faults_of_file(root, path):
    relative = path.relative_to(root).as_posix()
    room = room_of(relative)
    if room not in MAY_INCLUDE:
        return [f"{relative}:1: this file lies in no room that check_floors.py knows"]
    faults = []
    for number, line in enumerate(as_the_preprocessor_sees(path.read_text(encoding="utf-8")).split("\n"), start=1):
        include = INCLUDE.match(line)
        if include:
            fault = fault_of(root, room, include["what"])
            if fault:
                faults.append(f"{relative}:{number}: {fault}")
    return faults


def check(root):
    """Every fault of the tree, and how many files were read."""
    files = sorted(path for floor in FLOORS for path in (root / floor).rglob("*") if path.is_file())
    sources = [path for path in files if path.suffix in {".h", ".cc"}]
    faults = [fault for path in sources for fault in faults_of_file(root, path)]
    faults += [
        f"{path.relative_to(root).as_posix()}:1: sources end in .h or .cc"
        for path in files
        if path.suffix in {".hpp", ".hh", ".hxx", ".inc", ".inl", ".ipp", ".cpp", ".cxx", ".c"}
    ]
    return faults, len(sources)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    faults, files = check(root)
    if files == 0:
        faults = [f"{root}: no sources there"]
    for fault in faults:
        print(fault)
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
