"""How test_commands.py runs the commands of builds, tests and benchmarks."""

from runners import run, skipped

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
    "python3 tests/bench/compare.py --build build/bench --rounds 5 --kinds fork,vfork":
        run(more="--rounds 1 --count 500", shows=r"\| vfork \|"),
    "python3 tests/bench/scrape_cost.py --build build/bench":
        run(more="--scrapes 2 --series 500", shows=r"\| procevent_exporter, 500 \|"),
    "python3 tests/bench/fleet.py --build build/bench": skipped("tests/deploy/test_fleet.py"),
    "build/bench/tests/bench/exit_status --runs 3000":
        run(more="--runs 3 --kind thread_exit", shows=r"(?m)^\| thread SYS_exit\(5\)"),
    "build/bench/tests/bench/ledger_bench": run(more="--benchmark_min_time=0.001", shows="Benchmark"),
    **dict.fromkeys(("cmake --preset release && cmake --build --preset release",
                     "cmake --install build/release --component library --prefix /usr/local",
                     "cmake -G Ninja -B build && cmake --build build", "sudo build/print_execs"),
                    skipped("tests/library does it")),
}
