#!/usr/bin/env python3
"""Compares the metrics of two exporter binaries after they have replayed the same captures.

Each capture is replayed with each option set by both binaries. All lines of the text format and of OpenMetrics must be
equal, exemplars and help texts included, except LOCAL. Prints each difference. Exits with 1 if there is any.
"""

import argparse
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import harness  # noqa: E402

REPLAY_SECONDS = 300  # for a capture of a million events
MAX_PRINTED = 20

# Metrics of the exporter's own process and machine: they differ between two runs of one binary.
LOCAL = {
    r"process_(?!lifetime)\w+": "CPU, memory, descriptors and start time of the exporter",
    r"procevent_exporter_\w+": "version, HTTP requests and CPU of the exporter",
    r"procevent_pid_max": "setting of the machine",
    r"procevent_snapshot_timestamp_seconds": "wall clock of the scrape",
}
LOCAL_NAME = re.compile("(?:" + "|".join(LOCAL) + ")$")

# The small tables evict processes, overflow and retire groups. The others change all that depends on labels.
OPTION_SETS = {
    "defaults": "",
    "small tables": "processes: {limit: 1024}\ngroups: {limit: 10, retire_after: 1m}\n",
    "by group": "groups: {limit: 40, retire_after: 1m}\n"
                "histograms: {exit_code: {by_group: true}, lifetime: {by_group: true}}\n",
    "name groups": "groups: {limit: 10000}\n"
                   r'name_groups: [{match: "(.*?)[-0-9]+", name: "\\1"}, {match: "s.*", name: "s"}]' "\n"
                   "histograms: {exit_code: {buckets: [0, 1, 128]}, lifetime: {buckets: [1ms, 1s], by_group: true}}\n",
}
FORMATS = {"text": "text/plain", "OpenMetrics": "application/openmetrics-text; version=1.0.0"}
COMMENT = re.compile(r"(# \w+ (\w+))(.*)")
SAMPLE = re.compile(r'((\w+)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?) (.*)')


def parse(text):
    """The lines of an exposition as a dict from the series, or the comment's family, to the rest of the line."""
    lines = {}
    for line in text.splitlines():
        if line == "# EOF":
            continue
        match = (COMMENT if line.startswith("#") else SAMPLE).fullmatch(line)
        if match is None or match[1] in lines:
            raise ValueError(f"invalid or repeated line {line!r}")
        if not LOCAL_NAME.match(match[2]):
            lines[match[1]] = match[3]
    return lines


def replay(binary, capture, config):
    """The exposition in each format after a complete replay."""
    os.environ["PROCEVENT_EXPORTER_BINARY"] = binary
    with harness.Exporter(f"--source.replay={capture}", "--source.replay-speed=max", config=config) as exporter:
        def finished():
            if exporter.exit_code() is not None:
                raise AssertionError(f"the exporter ended with {exporter.exit_code()}:\n{exporter.log()}")
            return harness.log_lines(exporter.log(), "replay finished")

        harness.wait_for(f"the end of {capture}", finished, REPLAY_SECONDS)
        return {name: parse(exporter.get("/metrics", headers={"Accept": accept}).body.decode())
                for name, accept in FORMATS.items()}


def compare(old, new):
    """Returns the number of compared samples and the differences as (series, old, new)."""
    different = [(series, old.get(series, "missing"), new.get(series, "missing"))
                 for series in {**old, **new} if old.get(series) != new.get(series)]
    return sum(not series.startswith("#") for series in old), different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", default="", metavar="REGEX", help="print the matching series of the old binary")
    for name in ("old", "new"):
        parser.add_argument(name, help=f"{name} procevent_exporter")
    parser.add_argument("capture", nargs="+")
    options = parser.parse_args()
    total = failures = 0
    for capture in options.capture:
        for option_set, config in OPTION_SETS.items():
            old, new = (replay(os.path.abspath(binary), os.path.abspath(capture), config)
                        for binary in (options.old, options.new))
            for name in FORMATS:
                samples, different = compare(old[name], new[name])
                total += samples
                failures += len(different) + (samples == 0)  # an empty page compares nothing
                print(f"{os.path.basename(capture)}, {option_set}, {name}: {samples} samples, "
                      f"{len(different)} differences", flush=True)
                for series, before, after in different[:MAX_PRINTED]:
                    print(f"  {series}: old {before}, new {after}")
                if len(different) > MAX_PRINTED:
                    print(f"  and {len(different) - MAX_PRINTED} more")
            for series, value in old["OpenMetrics"].items():
                if options.show and re.search(options.show, series):
                    print(f"  {series} {value}")
    print(f"{total} samples compared, {failures} differences")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
