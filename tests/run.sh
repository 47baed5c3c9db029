#!/usr/bin/env bash
# Runs the tests on a fresh Debian 12 machine: installs missing packages, builds, runs CTest.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'END'
Usage: tests/run.sh [--all | --long | --help]

  (nothing)  builds the preset `dev` with warnings as errors and runs its tests
  --all      adds formatting, shell scripts, ASan + UBSan by clang, clang-tidy, 10 s of each fuzz target, and TSan
  --long     adds to the plain run the suites that take too long for --all: see docs/testing.md

Live tests need root and a process-event connector without other subscribers. A test that cannot run is skipped, and
the reason is printed. PROCEVENT_REQUIRE_LIVE=1 turns such a skip into a failure.
Exit codes: 0 passed, 1 a step failed, 2 wrong usage or packages missing that this user cannot install.
END
}

jobs="$(nproc)"
product=(cmd config core exporter)

# --- Steps: each is timed. The first failure ends the run, and the table names it. ---

table=()
running=

# Do not call it in a condition (`if step`, `step && ...`): bash would then ignore `set -e` inside the step.
step() {
  running="$1"
  local began=$SECONDS
  printf '\n=== %s\n' "$running"
  "${@:2}"
  table+=("$(printf '%-24s %5d s' "$running" $((SECONDS - began)))")
  running=
}

report() {
  local status=$?
  printf '\n=== %s\n' "${0##*/}"
  ((${#table[@]} == 0)) || printf '%s\n' "${table[@]}"
  [[ -z "$running" ]] || printf '%-24s FAILED (exit %d)\n' "$running" "$status"
  ((status != 0)) || printf 'passed in %d s\n' "$SECONDS"
  [[ "$status" == 0 || "$status $running" == "2 packages"* ]] || exit 1
}

# --- Commands of the steps ---

configure_and_build() {
  cmake --preset "$1" -DPROCEVENT_WERROR=ON >/dev/null
  cmake --build --preset "$1" -j "$jobs"
}

# Debian 12's sanitizers cannot map their shadow memory when vm.mmap_rnd_bits is above 28.
fixed_addresses=()
if (($(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) > 28)) && setarch -R true 2>/dev/null; then
  fixed_addresses=(setarch -R)
fi

# run_ctest PRESET [CTEST-OPTION...]
run_ctest() {
  "${fixed_addresses[@]}" ctest --test-dir "build/$1" --output-on-failure --no-tests=error --timeout 300 -j "$jobs" "${@:2}"
  print_skips "build/$1/Testing/Temporary/LastTest.log"
}

# Prints why tests were skipped, from CTest's log. GoogleTest writes the reason after "...: Skipped", unittest in quotes.
print_skips() {
  [[ -r "$1" ]] || return 0
  awk '/: Skipped$/ { getline; print "skipped: " $0 } / skipped ["'\'']/ { sub(/.* skipped /, "skipped: "); print }' "$1" |
    sort | uniq -c
}

check_format() {
  find "${product[@]}" tests \( -name '*.cc' -o -name '*.h' \) -print0 |
    xargs -0 clang-format-14 --dry-run -Werror
}

check_scripts() {
  shellcheck tests/run.sh tests/deploy/*.sh deploy/*.sh deploy/demo/*.sh deploy/debian/{postinst,prerm,postrm} .ci/run \
    tests/deploy/hosts/web-1/{access-report,backup-job,log-cleaner} tests/deploy/hosts/build-1/{ci-runner,flaky-agent}
}

# Needs the preset `asan` configured: clang-tidy reads its commands.
check_tidy() {
  find "${product[@]}" -name '*.cc' -print0 |
    xargs -0 -n 1 -P "$jobs" clang-tidy-14 --quiet -p build/asan
}

# fuzz SECONDS: runs each target for that time on a copy of its corpus. Findings are kept in build/asan/found.
fuzz() {
  local target name scratch=build/asan/scratch
  rm -rf "$scratch"
  mkdir -p "$scratch" build/asan/found
  for target in build/asan/tests/fuzz/*_fuzz; do
    name="$(basename "$target")"
    cp -r "tests/fuzz/corpus/${name%_fuzz}" "$scratch/$name"
    printf '%s for %d s\n' "$name" "$1"
    # libFuzzer ends by itself; the outer limit is for a hang that it does not detect.
    "${fixed_addresses[@]}" timeout -k 5 $(($1 + 60)) "$target" "-max_total_time=$1" -timeout=10 -rss_limit_mb=2048 \
      -print_final_stats=1 "-artifact_prefix=build/asan/found/$name-" "$scratch/$name" >"$scratch/$name.log" 2>&1 ||
      { tail -n 60 "$scratch/$name.log"; return 1; }
    grep -E 'number_of_executed_units|average_exec_per_sec' "$scratch/$name.log" || true
  done
}

# --- The runs ---

plain() {
  step "packages" deploy/install_packages.sh build unit test
  step "build dev" configure_and_build dev
  step "test dev" run_ctest dev -LE deploy_long
}

all() {
  step "packages for checks" deploy/install_packages.sh check
  step "format" check_format
  step "shell scripts" check_scripts
  plain
  step "build release" configure_and_build release
  step "build asan" configure_and_build asan
  step "test asan" run_ctest asan -LE 'e2e|tree|deploy'
  step "fuzz" fuzz 10
  step "tidy" check_tidy
  step "build tsan" configure_and_build tsan
  step "test tsan" run_ctest tsan -LE 'e2e|tree|deploy'
}

# The suites of --long in order. docs/testing.md lists them with their last runs.
long_suites=(long_fuzz long_live long_e2e long_tsan long_deploy)

long_fuzz() {
  step "build asan" configure_and_build asan
  local targets=(build/asan/tests/fuzz/*_fuzz)
  step "fuzz, 10 minutes" fuzz $((600 / ${#targets[@]}))
}

long_live() { step "live, 20 times" run_ctest dev -L live --repeat until-fail:20; }

long_e2e() {
  export PROCEVENT_OVERLOAD_SECONDS=60
  step "e2e, 5 times" run_ctest dev -L e2e --repeat until-fail:5
}

long_tsan() {
  step "build tsan" configure_and_build tsan
  step "tsan, 20 times" run_ctest tsan -LE 'live|e2e|tree|deploy' --repeat until-fail:20
}

long_deploy() {
  step "packages for deploy" deploy/install_packages.sh package deploy
  step "deploy" run_ctest dev -L deploy_long
}

long() {
  local suite
  step "packages for checks" deploy/install_packages.sh check
  plain
  for suite in "${long_suites[@]}"; do
    "$suite"
  done
}

main() {
  if (($# > 1)); then
    usage >&2
    exit 2
  fi
  case "${1-}" in
    "") run=plain ;;
    --all) run=all ;;
    --long) run=long ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  trap report EXIT
  "$run"
}

main "$@"
