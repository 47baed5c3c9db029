#!/usr/bin/env python3
"""Finds includes that go up or sideways: `check_layering.py [ROOT]`. Prints each as file:line and exits 1 if it found any.

The tables below are the rules. An include inside `#if 0` counts, too: the rules do not depend on build options."""

import pathlib
import re
import sys

# What each module may include, besides itself. A module is a folder; `core/procevent.h` is a module of one file.
_SOURCES = {"core/base", "core/protocol", "core/sources"}
_CORE = {"core/base", "core/protocol", "core/sources", "core/tracker", "core/statistics", "core/lookup", "core/reader"}
_EXPORTER = {"exporter/metrics", "exporter/http"}
_CONFIG = {"config/yaml", "config/schema", "config"}
_BELOW_CMD = _CORE | _EXPORTER | _CONFIG
MAY_INCLUDE = {
    "core/base": set(),
    "core/protocol": {"core/base"},
    "core/tracker": {"core/base", "core/protocol"},
    "core/statistics": {"core/base", "core/protocol", "core/tracker"},
    "core/sources": {"core/base", "core/protocol"},
    "core/sources/connector": _SOURCES,
    "core/sources/procfs": _SOURCES,
    "core/sources/capture": _SOURCES,
    "core/lookup": _SOURCES | {"core/tracker", "core/sources/connector", "core/sources/procfs"},
    "core/reader": _SOURCES
    | {"core/tracker", "core/statistics", "core/sources/connector", "core/sources/procfs", "core/sources/capture"},
    "core/procevent.h": {"core/base", "core/protocol", "core/sources/connector", "core/lookup"},  # the public header
    "exporter/metrics": _CORE | {"core/sources/procfs"},
    "exporter/http": _CORE | {"exporter/metrics"},
    "config/yaml": {"core/base"},
    "config/schema": _CORE | _EXPORTER | {"core/sources/connector", "config/yaml"},
    "config": _CORE | _EXPORTER | {"config/yaml", "config/schema"},
    "cmd/cli": _BELOW_CMD,
    "cmd/logging": _BELOW_CMD,
    "cmd/serve": _BELOW_CMD | {"cmd/cli", "cmd/logging", "core/sources/connector", "core/sources/procfs"},
    "cmd/capture": _BELOW_CMD
    | {"cmd/cli", "cmd/logging", "cmd/serve", "core/sources/connector", "core/sources/procfs", "core/sources/capture"},
    "cmd/watch": _BELOW_CMD
    | {"cmd/cli", "cmd/logging", "cmd/serve", "cmd/capture", "core/sources/connector", "core/sources/capture"},
    "cmd/doctor": _BELOW_CMD
    | {"cmd/cli", "cmd/logging", "cmd/serve", "core/sources/connector", "core/sources/procfs"},
    "cmd": _BELOW_CMD | {"cmd/cli", "cmd/logging", "cmd/serve", "cmd/capture", "cmd/watch", "cmd/doctor"},
}
ROOTS = {module.split("/")[0] for module in MAY_INCLUDE}

# The only modules that may include a third party. A header with a dot or a slash that is in no table is rejected.
THIRD_PARTIES = {
    "yaml-cpp": {"config/yaml"},
    "prometheus": {"exporter/metrics"},
    "civetweb.h": {"exporter/http"},
    "zlib.h": {"exporter/http"},
    "spdlog": {"cmd/logging"},
    "nlohmann": {"cmd/capture", "cmd/doctor"},
    "pcap": {"core/sources/capture"},
    "re2": {"core/statistics"},
}
# Of the system: the C library and the kernel's interface.
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


def without_comments(text):
    """Joins continued lines and removes comments and raw strings, as the preprocessor does. Line numbers stay."""

    def join(match):
        return match.group().replace("\\\n", "") + "\n" * match.group().count("\\\n")

    def blank(match):
        found = match.group()
        return " " + "\n" * found.count("\n") if found.startswith(("//", "/*", "R")) else found

    return COMMENT.sub(blank, SPLICED.sub(join, text))


def module_of(path):
    """The module that a path like core/reader/reader.h lies in, or None."""
    if path in MAY_INCLUDE:
        return path
    folder = path.rpartition("/")[0]
    return folder if folder.split("/")[0] in ROOTS else None


def fault_of_third_party(module, name):
    first = name.split("/")[0]
    if first in THIRD_PARTIES:
        owners = THIRD_PARTIES[first]
        return None if module in owners else f"only {', '.join(sorted(owners))} may include {first}"
    if first in SYSTEM or name in C_LIBRARY or "." not in name and "/" not in name:
        return None
    return f"'{name}' is neither a header of this project nor in the tables of check_layering.py"


def fault_of(root, module, what):
    """What is wrong with one include, or None."""
    quoted = QUOTED.match(what)
    if not quoted:
        return f"an include must name its file: {what.strip()}"
    name = quoted["name"]
    if ".." in name.split("/") or "." in name.split("/") or name.startswith("/"):
        return f"'{name}': name the header from the root"
    other = module_of(name)
    if name.split("/")[0] == "tests":
        return f"'{name}': the product must not include tests"
    if other is None and quoted["open"] == '"':
        return f"'{name}': headers of this project are named from the root, others in <>"
    if other is None:
        return fault_of_third_party(module, name)
    if quoted["open"] == "<":
        return f"'{name}': headers of this project are included in quotes"
    if not (root / name).is_file():
        return f"'{name}': no such file"
    if other not in MAY_INCLUDE[module] | {module}:
        return f"{module} may not include {other} ('{name}')"
    return None


def faults_of_file(root, path):
    relative = path.relative_to(root).as_posix()
    module = module_of(relative)
    if module not in MAY_INCLUDE:
        return [f"{relative}:1: this file is in no module of check_layering.py"]
    faults = []
    for number, line in enumerate(without_comments(path.read_text(encoding="utf-8")).split("\n"), start=1):
        include = INCLUDE.match(line)
        if include:
            fault = fault_of(root, module, include["what"])
            if fault:
                faults.append(f"{relative}:{number}: {fault}")
    return faults


def check(root):
    """Every fault of the tree, and how many files were read."""
    files = sorted(path for folder in ROOTS for path in (root / folder).rglob("*") if path.is_file())
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
        faults = [f"{root}: no sources found"]
    for fault in faults:
        print(fault)
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
