"""CPU and memory of a process, for the benchmarks."""

import pathlib
import re
import time


def cpu_ns(pid):
    """CPU time of all threads."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def memory_mib(pid, key):
    return _kib(f"/proc/{pid}/status", key) / 1024


def proportional_mib(pid):
    """Memory with shared pages divided by the number of processes that share them, such as the binary's."""
    return _kib(f"/proc/{pid}/smaps_rollup", "Pss") / 1024


def _kib(file, key):
    text = pathlib.Path(file).read_text(encoding="utf-8")
    return int(re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE).group(1))
