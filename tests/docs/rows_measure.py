"""How test_commands.py runs the commands of builds, tests and benchmarks."""

import os
import re

import pages
from runners import run, skipped

BUILD = os.path.abspath(os.path.join(os.environ.get("PROCEVENT_STORM", ""), "../../.."))
TESTING = pages.read("docs/testing.md")


def counts(*kinds, instead=()):
    """The command prints a number for each kind, a little more than that in the table of docs/testing.md."""

    def runner(tree, command):
        for kind, printed in zip(kinds, run(instead=instead)(tree, command).split(), strict=True):
            stated = int(re.search(rf"(?m)^\| {kind}.*?\| more than (\d+)", TESTING)[1])
            if not stated < int(printed) < 1.2 * stated + 3:
                raise AssertionError(f"{kind}: {printed} tests, but docs/testing.md has {stated}")

    return runner


COMMANDS = {
    **dict.fromkeys(("tests/run.sh", "tests/run.sh --all", "tests/run.sh --long",
                     "ctest --test-dir build/dev -LE deploy_long -j \"$(nproc)\" --output-on-failure"),
                    skipped("contains this test")),
    **dict.fromkeys(("cmake --preset dev -DPROCEVENT_WERROR=ON && cmake --build --preset dev",
                     "cmake --preset asan && cmake --build --preset asan",
                     "cmake --build --preset dev --target procevent_exporter"), skipped("tests/run.sh does it")),
    "cp -r tests/fuzz/corpus/decode /tmp/decode && build/asan/tests/fuzz/decode_fuzz -max_total_time=60 /tmp/decode":
        skipped("tests/run.sh --all runs the fuzzers"),
    **dict.fromkeys(("PROCEVENT_EXPORTER_BINARY=build/dev/procevent_exporter python3 -B tests/deploy/live_hosts.py"
                     " /var/tmp/hour", "python3 -B tests/deploy/take_pictures.py /var/tmp/hour"),
                    skipped("takes 80 minutes")),
    "cmake --preset release -B build/bench -DPROCEVENT_TESTS=ON && cmake --build build/bench":
        run(more="--target tiny", shows="tests/bench/tiny", instead=[("build/bench", "build/fresh")]),  # not all
    "python3 tests/bench/compare.py --build build/bench --with=forkstat":
        run(more="--rounds 1 --count 500", shows=r"\| exec \| forkstat \|"),
    "python3 tests/bench/scrape_cost.py --build build/bench":
        run(more="--scrapes 2 --series 500", shows=r"\| procevent_exporter, `groups.limit` 52 \|"),
    "python3 tests/bench/rates.py --build build/bench": run(more="--seconds 1", shows=r"(?m)^\| \d+ \| \d+\.\d+% \|"),
    "python3 tests/bench/names.py --build build/bench":
        run(more="--count 20", shows=r"\| `/bin/sleep 0.03`, one after the other \| \d+% named"),
    "python3 tests/bench/start_stop.py --build build/bench": run(more="--runs 2", shows=r"\| threads \| 67 \| 67 \|"),
    "python3 tests/bench/half_open_clients.py --build build/bench":
        run(more="--clients 1,2", shows=r"\| 2 \| \d+\.\d s \|"),
    **dict.fromkeys(("apt-get install --no-install-recommends forkstat", "apt-get install --no-install-recommends"
                     " prometheus-node-exporter prometheus-process-exporter"), run(more="--simulate")),
    **dict.fromkeys(("PROCEVENT_REFRESH_GOLDEN=1 build/dev/tests/exporter/exporter_test",
                     "PROCEVENT_REFRESH_GOLDEN=1 build/dev/tests/config/config_test",
                     "PROCEVENT_REFRESH_GOLDEN=1 PROCEVENT_EXPORTER_BINARY=build/dev/procevent_exporter python3 -B"
                     " tests/e2e/test_replay.py",
                     "PROCEVENT_REFRESH_GOLDEN=1 python3 -B tests/deploy/test_dashboards.py Source",
                     "PROCEVENT_REFRESH_GOLDEN=1 python3 -B tests/deploy/test_kubernetes.py PrometheusRules"),
                    skipped("rewrites files of the checkout, which these tests compare")),
    "python3 tests/bench/fleet.py --build build/bench": skipped("tests/deploy/test_fleet.py"),
    "build/bench/tests/bench/exit_status --runs 300 --hogs 4":
        run(more="--runs 3 --kind thread_exit", shows=r"(?m)^\| thread SYS_exit\(5\).* of 3 \|$"),
    "build/bench/tests/bench/processing_bench --benchmark_filter='Record|Snapshot'":
        run(more="--benchmark_min_time=0.001", shows="(?m)^CopySnapshot/1 "),
    "python3 tests/bench/build_load.py --exporter build/bench/procevent_exporter --record 600 --capture load.pcap":
        run(more="--record 2 --limits 25", shows=r"(?m)^\| 25 \| \d+ \| \d+ \| \d+ \| \d+\.\d+% \|"),
    "find build/dev/tests -name '*_test' -type f -exec {} --gtest_list_tests \\; | grep -c '^ '":
        counts("unit", instead=[("build/dev", BUILD)]),
    "find build/dev/tests/live -name '*_test' -type f -exec {} --gtest_list_tests \\; | grep -c '^ '":
        counts("live", instead=[("build/dev", BUILD)]),
    "find tests/fuzz/corpus -type f | wc -l": counts("inputs"),
    "grep -rlE mt19937 tests/core tests/exporter tests/config tests/cmd | wc -l": counts("of these"),
    "for tests in e2e docs library deploy scripts layering; do grep -rhE '^ +def test_' tests/$tests | wc -l; done":
        counts("end to end", "pages", "library", "`deploy/`", "scripts", "layering"),
    **dict.fromkeys(("ctest --test-dir build/dev -R '^core_statistics_test$' --output-on-failure",
                     "build/dev/tests/core/statistics/core_statistics_test --gtest_filter='GroupTableTest.*'"),
                    run(instead=[("build/dev", BUILD)], shows="(?i)passed")),
    "ctest --test-dir build/dev -L live --output-on-failure": skipped("CTest runs them"),
    **dict.fromkeys(("cmake --preset release && cmake --build --preset release",
                     "cmake --install build/release --component library --prefix /usr/local",
                     "cmake -G Ninja -B build && cmake --build build", "sudo build/print_execs"),
                    skipped("tests/library does it")),
}
