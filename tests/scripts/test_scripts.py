#!/usr/bin/env python3
"""Tests the project's scripts in a copy of the tree, with every tool replaced by a stub that records the call.

Most tests check that a failed step fails the script. A script that continued would report a broken tree as tested.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Records its call, and fails if $STUB_FAIL matches it.
STUB = """#!/bin/bash
call="${0##*/} $*"
echo "$call" >>"$STUB_LOG"
case "${0##*/}" in
  dpkg-query)
    if [[ "${!#}" == *Provides* ]]; then echo "installed, ${STUB_PROVIDED-},"
    elif [[ " ${STUB_MISSING-} " != *" ${!#} "* ]]; then printf installed; fi ;;
  id) echo "${STUB_UID-0}" ;;
  nproc) echo 3 ;;
  sudo) [[ -n "${STUB_SUDO-}" ]] || exit 1; shift; exec "$@" ;;
esac
if [[ -n "${STUB_FAIL-}" && "$call" =~ $STUB_FAIL ]]; then exit "${STUB_STATUS:-1}"; fi
exit 0
"""
TOOLS = ["cmake", "cpack", "ctest", "clang-format-14", "clang-tidy-14", "shellcheck", "dpkg-query", "apt-get", "id",
         "nproc", "sudo", "setarch"]
# Real tools that a stubbed run may use.
REAL = ["bash", "awk", "basename", "cat", "cp", "dirname", "env", "find", "grep", "mkdir", "rm", "sed", "seq", "setpriv",
        "sleep", "sort", "stat", "tail", "timeout", "tr", "true", "uniq", "xargs"]

# The first call of each step of --all, in order, without "packages".
STEPS_OF_ALL = [
    "clang-format-14 --dry-run -Werror .*core/a.h",
    "shellcheck .*tests/run.sh",
    "cmake --preset dev -DPROCEVENT_WERROR=ON",
    "cmake --build --preset dev -j 3",
    "ctest --test-dir build/dev .*--no-tests=error",
    "cmake --preset release -DPROCEVENT_WERROR=ON",
    "cmake --build --preset release",
    "cmake --preset asan -DPROCEVENT_WERROR=ON",
    "cmake --build --preset asan",
    "ctest --test-dir build/asan ",
    "one_fuzz -max_total_time=10 ",
    "two_fuzz -max_total_time=10 ",
    "clang-tidy-14 .*core/a.cc",
    "cmake --preset tsan ",
    "cmake --build --preset tsan",
    "ctest --test-dir build/tsan ",
]


class ScriptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name) / "a tree"
        self.log = self.tree / "calls"
        self.bin = self.tree / "bin"
        self.bin.mkdir(parents=True)
        for name in TOOLS:
            self.stub(self.bin / name)
        for name in REAL:
            (self.bin / name).symlink_to(shutil.which(name))
        for name in ["tests/run.sh", ".ci/run", *(f"deploy/{name}" for name in
                                                      ("packages.txt", "install_packages.sh", "package.sh", "run.sh"))]:
            (self.tree / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.tree / name)
        for layer in ("cmd", "config", "core", "exporter"):
            (self.tree / layer).mkdir()
        for name in ("core/a.cc", "core/a.h", "tests/a_test.cc"):
            (self.tree / name).touch()
        for name in ("one", "two"):
            (self.tree / f"tests/fuzz/corpus/{name}").mkdir(parents=True)
            self.stub(self.tree / f"build/asan/tests/fuzz/{name}_fuzz")
        self.os_release = self.tree / "os-release"
        self.os_release.write_text('ID=debian\nVERSION_ID="12"\n')

    def stub(self, path, text=STUB):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_script(self, *command, **extra):
        self.log.write_text("")
        environment = {"PATH": str(self.bin), "STUB_LOG": str(self.log), "PROCEVENT_OS_RELEASE": str(self.os_release),
                       "PROCEVENT_APT_PAUSE": "0", **extra}
        done = subprocess.run([self.tree / command[0], *command[1:]], env=environment, cwd="/", text=True, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        ignored = ("dpkg-query", "id ", "nproc", "setarch")
        self.calls = [line for line in self.log.read_text().splitlines() if not line.startswith(ignored)]
        return done


class TestsRunTest(ScriptTest):
    def test_plain_run_builds_and_tests_dev(self):
        done = self.run_script("tests/run.sh")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split(" -D")[0] for call in self.calls[:2]],
                         ["cmake --preset dev", "cmake --build --preset dev -j 3"])
        self.assertEqual(len(self.calls), 3)
        self.assertRegex(done.stdout, r"test dev +\d+ s\npassed in")

    def test_all_runs_every_step_in_order(self):
        done = self.run_script("tests/run.sh", "--all")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.calls), len(STEPS_OF_ALL), self.calls)
        for call, step in zip(self.calls, STEPS_OF_ALL):
            self.assertRegex(call, step)

    def test_failed_step_stops_and_fails_the_run(self):
        for number, step in enumerate(STEPS_OF_ALL):
            for status in ("1", "2", "8"):
                with self.subTest(step, status=status):
                    done = self.run_script("tests/run.sh", "--all", STUB_FAIL=step, STUB_STATUS=status)
                    self.assertEqual(done.returncode, 1)
                    self.assertEqual(len(self.calls), number + 1)
                    self.assertRegex(done.stdout, "FAILED")
                    self.assertNotIn("passed in", done.stdout)

    def test_long_runs_the_plain_run_and_its_suites(self):
        done = self.run_script("tests/run.sh", "--long")
        self.assertEqual(done.returncode, 0, done.stderr)
        for wanted in ("one_fuzz -max_total_time=300 ", "build/dev .*-L live --repeat until-fail:20", "-L e2e"):
            self.assertRegex("\n".join(self.calls), wanted)

    def test_failed_long_suite_fails_the_run(self):
        for step in ("two_fuzz", "-L live", "-L e2e", "build/tsan"):
            with self.subTest(step):
                self.assertEqual(self.run_script("tests/run.sh", "--long", STUB_FAIL=step).returncode, 1)

    def test_wrong_usage(self):
        for arguments in (["--every"], ["--all", "--long"], ["all"], ["--all", ""]):
            with self.subTest(arguments):
                done = self.run_script("tests/run.sh", *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn("Usage: ", done.stderr)
                self.assertEqual(self.calls, [])
        self.assertEqual(self.run_script("tests/run.sh", "--help").returncode, 0)

    def test_missing_packages_without_root(self):
        for option in ([], ["--all"]):
            done = self.run_script("tests/run.sh", *option, STUB_MISSING="cmake clang-14", STUB_UID="1000")
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\nsudo apt-get update && sudo apt-get install .*(cmake|clang-14)\n")

    def test_reasons_of_skips_are_printed(self):
        log = self.tree / "build/dev/Testing/Temporary/LastTest.log"
        log.parent.mkdir(parents=True)
        log.write_text("x_test.cc:9: Skipped\nneeds root\n[  SKIPPED ] A.B\ntest_c (x.Y) ... skipped 'no connector'\n")
        done = self.run_script("tests/run.sh")
        self.assertIn("skipped: needs root\n", done.stdout)
        self.assertIn("skipped: 'no connector'\n", done.stdout)

    def test_ci_runs_everything_and_requires_live_tests(self):
        self.stub(self.tree / "tests/run.sh", '#!/bin/bash\necho "$PROCEVENT_REQUIRE_LIVE $*"; exit 3\n')
        done = self.run_script(".ci/run")
        self.assertEqual((done.returncode, done.stdout), (3, "1 --all\n"))


class InstallPackagesTest(ScriptTest):
    def install(self, *sections, **extra):
        return self.run_script("deploy/install_packages.sh", *sections, **extra)

    def test_no_output_if_nothing_is_missing(self):
        self.os_release.write_text("ID=other\n")
        done = self.install("build", "runtime", "test", "check")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.calls), (0, "", "", []))

    def test_root_installs_only_missing_packages(self):
        self.assertEqual(self.install("build", "test", STUB_MISSING="cmake prometheus zlib1g").returncode, 0)
        self.assertEqual(len(self.calls), 2)
        self.assertRegex(self.calls[0], " update$")
        self.assertRegex(self.calls[1], " install -y --no-install-recommends cmake prometheus$")

    def test_provided_package_is_not_missing(self):
        for provided in ("cmake", "a, cmake (= 3.25), b", "cmake, a"):
            with self.subTest(provided):
                done = self.install("build", STUB_MISSING="cmake", STUB_PROVIDED=provided)
                self.assertEqual((done.returncode, self.calls), (0, []))
        for provided in ("", "cmake-data", "a, xcmake"):
            with self.subTest(provided):
                self.install("build", STUB_MISSING="cmake", STUB_PROVIDED=provided)
                self.assertRegex(self.calls[-1], " install -y --no-install-recommends cmake$")

    def test_update_is_retried_and_install_decides(self):
        done = self.install("build", STUB_MISSING="cmake", STUB_FAIL=" update$")
        self.assertEqual((done.returncode, len(self.calls)), (0, 4))
        done = self.install("build", STUB_MISSING="cmake", STUB_FAIL=" install ", STUB_STATUS="100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot install cmake: ", done.stderr)

    def test_sudo_without_password(self):
        done = self.install("build", STUB_MISSING="cmake", STUB_UID="1000", STUB_SUDO="yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex("\n".join(self.calls), "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get .* install ")

    def test_other_systems_are_rejected(self):
        for text in ("ID=ubuntu\nVERSION_ID=\"22.04\"\n", "ID=debian\nVERSION_ID=\"13\"\n", ""):
            self.os_release.write_text(text)
            done = self.install("build", STUB_MISSING="cmake")
            self.assertEqual((done.returncode, self.calls), (2, []))
            self.assertIn("not Debian 12", done.stderr)
        for tool in ("dpkg-query", "apt-get"):
            (self.bin / tool).unlink()
        done = self.install("build")
        self.assertEqual(done.returncode, 2)
        self.assertIn("not a Debian machine", done.stderr)

    def test_wrong_usage(self):
        for sections in ([], ["bulid"], ["build", ""]):
            with self.subTest(sections):
                self.assertEqual(self.install(*sections).returncode, 2)

    def test_section_lists_each_package_once(self):
        lines = [line.split("#")[0].strip() for line in (ROOT / "deploy/packages.txt").read_text().splitlines()]
        sections = "\n".join(line for line in lines if line).split("[")[1:]
        self.assertGreaterEqual(len(sections), 4)
        for section in sections:
            name, *packages = section.split("\n")
            with self.subTest(name):
                packages = [package for package in packages if package]
                self.assertEqual(len(packages), len(set(packages)))
                for package in packages:
                    self.assertTrue(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", package), package)


class PackageTest(ScriptTest):
    STEPS = ["cmake --preset release", "cmake --build --preset release -j 3", "cpack --config build/release/.* -G DEB "]

    def test_builds_and_prints_the_path(self):
        done = self.run_script("deploy/package.sh")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.calls), len(self.STEPS), self.calls)
        for call, step in zip(self.calls, self.STEPS):
            self.assertRegex(call, step)
        self.assertEqual(done.stdout, f"{self.tree}/build/release/package/*.deb\n")  # the stub makes no package

    def test_failed_step_stops_the_script(self):
        for number, step in enumerate(self.STEPS):
            with self.subTest(step):
                done = self.run_script("deploy/package.sh", STUB_FAIL=step)
                self.assertEqual((done.returncode, done.stdout, len(self.calls)), (1, "", number + 1))
        done = self.run_script("deploy/package.sh", STUB_MISSING="dpkg-dev", STUB_FAIL="apt-get.* install", STUB_UID="0")
        self.assertEqual((done.returncode, done.stdout), (1, ""))


# Replaces the binary: serves a landing page, and exits on SIGTERM with status 7.
SERVER = """#!{python}
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'<li><a href="/m">/m</a>\\n<li><a href="/-/healthy">x</a>')
    def log_message(self, *unused): pass
def end(*unused): print("ended", flush=True); os._exit(7)
signal.signal(signal.SIGTERM, end)
print(*sys.argv[1:], flush=True)
http.server.HTTPServer(("127.0.0.1", 0), Handler).serve_forever()
"""

# The same with an allow list that excludes this machine: each connection is reset.
RESETTER = """#!{python}
import os, signal, socket, struct
def end(*unused): print("ended", requests, flush=True); os._exit(7)
requests = 0
signal.signal(signal.SIGTERM, end)
listener = socket.create_server(("127.0.0.1", 0))
while True:
    connection, _ = listener.accept()
    requests += 1
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
"""


class DeployRunTest(ScriptTest):
    def start(self, *arguments, **extra):
        environment = {"PATH": str(self.bin), "STUB_LOG": str(self.log), **extra}
        script = subprocess.Popen([self.tree / "deploy/run.sh", *arguments], env=environment, cwd="/", text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        limit = threading.Timer(30, script.kill)  # a failure must not hang
        limit.start()
        self.addCleanup(limit.cancel)
        return script

    def serve(self, server=SERVER):
        self.stub(self.tree / "build/release/procevent_exporter", server.format(python=sys.executable))

    def test_serves_prints_the_url_and_forwards_signals(self):
        self.serve()
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), self.start("--log.level", "debug") as script:
                self.assertEqual(script.stdout.readline(),
                                 f"--config.file={self.tree}/deploy/procevent_exporter.yml --log.level debug\n")
                printed = "".join(script.stdout.readline() for _ in range(3))
                self.assertRegex(printed, r"serving http://127.0.0.1:(\d+)/\n +curl -s http://127.0.0.1:\1/m\n")
                script.send_signal(number)
                self.assertEqual(script.stdout.read(), "\nended\n")
                self.assertEqual(script.wait(timeout=30), 7)

    def test_excluded_machine_gets_the_address_after_one_request(self):
        self.serve(RESETTER)
        for _ in range(5):  # a connection is reset before or after the request
            with self.start() as script:
                printed = "".join(script.stdout.readline() for _ in range(3))
                self.assertRegex(printed, r"^\nserving http://127.0.0.1:\d+/, but not to this machine .*\n\n$")
                time.sleep(0.5)
                script.send_signal(signal.SIGTERM)
                self.assertEqual(script.stdout.read(), "ended 1\n")
                self.assertEqual(script.wait(timeout=30), 7)

    def test_child_does_not_outlive_a_killed_script(self):
        self.serve()
        with self.start() as script:
            while "curl" not in script.stdout.readline():
                pass
            self.assertEqual(script.stdout.readline(), "\n")  # the last line
            script.kill()
            self.assertEqual(script.stdout.read(), "ended\n")

    def test_own_configuration_replaces_the_default(self):
        self.stub(self.tree / "build/release/procevent_exporter", '#!/bin/bash\necho "$@"\n')
        for arguments in (["--config.file=/x.yml"], ["--config.file", "/x.yml"]):
            with self.start(*arguments) as script:
                self.assertEqual(script.communicate(timeout=30)[0], " ".join(arguments) + "\n")
        for file, printed in (("/x.yml", "\n"), ("", f"--config.file={self.tree}/deploy/procevent_exporter.yml\n")):
            with self.start(PROCEVENT_CONFIG_FILE=file) as script:
                self.assertEqual(script.communicate(timeout=30)[0], printed)

    def test_demo_replays_without_privilege(self):
        self.stub(self.tree / "build/release/procevent_exporter", '#!/bin/bash\necho "$@"\n')
        replay = f"--source.replay={self.tree}/deploy/demo/demo.pcap --source.replay-loop=true"
        for arguments, flags in ((("--demo", "--log.level=debug"), f"{replay} --log.level=debug"),
                                 (("--log.level", "debug", "--demo"), f"--log.level debug {replay}")):
            done = self.run_script("deploy/run.sh", *arguments)
            self.assertEqual(done.stdout, f"--config.file={self.tree}/deploy/procevent_exporter.yml {flags}\n")
            self.assertNotIn("CAP_NET_ADMIN", done.stderr)

    def test_stream_commands_get_standard_input_and_no_file(self):
        self.stub(self.tree / "build/release/procevent_exporter", '#!/bin/bash\necho "$@"; cat\n')
        done = subprocess.run([self.tree / "deploy/run.sh", "decode", "--hex"], input="1000\n", text=True, timeout=60,
                              env={"PATH": f"{self.bin}:/usr/bin:/bin", "STUB_LOG": str(self.log)}, cwd="/",
                              capture_output=True, check=False)
        self.assertEqual(done.stdout, "decode --hex\n1000\n")

    def test_status_of_a_binary_that_exits_at_once(self):
        self.stub(self.tree / "build/release/procevent_exporter", "#!/bin/bash\nexit 1\n")
        done = self.run_script("deploy/run.sh")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("serving", done.stdout)

    def test_build_output_goes_to_stderr(self):
        self.stub(self.tree / "build/release/procevent_exporter", "#!/bin/bash\necho serving\n")
        self.stub(self.bin / "cmake", "#!/bin/bash\necho building\n")
        done = self.run_script("deploy/run.sh")
        self.assertEqual(done.stdout, "serving\n")
        self.assertIn("building\n", done.stderr)

    def test_unwritable_folder_is_reported_with_its_owner(self):
        self.tree.parent.chmod(0o755)
        for name in ("build", "build/release"):
            folder = self.tree / name
            folder.mkdir(exist_ok=True)
            folder.chmod(0o555)
            nobody = {"user": 65534} if os.geteuid() == 0 else {}  # root may write anywhere
            done = subprocess.run([self.tree / "deploy/run.sh"], env={"PATH": str(self.bin), "STUB_LOG": "/dev/null"},
                                  cwd="/", text=True, timeout=60, capture_output=True, check=False, **nobody)
            folder.chmod(0o755)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            message = f"run.sh: cannot write to {folder}: it belongs to {folder.owner()}; "
            self.assertTrue(done.stderr.startswith(message), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_failed_build_starts_nothing(self):
        self.stub(self.tree / "build/release/procevent_exporter")
        for step in ("cmake --preset release", "cmake --build --preset release"):
            done = self.run_script("deploy/run.sh", STUB_FAIL=step)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("procevent_exporter", "\n".join(self.calls))

    def test_missing_packages_start_nothing(self):
        done = self.run_script("deploy/run.sh", STUB_MISSING="cmake", STUB_UID="1000")
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
