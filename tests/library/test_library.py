#!/usr/bin/env python3
"""Installs the library, finds it with find_package and builds and runs a consumer program (consumer/)."""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "docs")]

import connector  # noqa: E402
import harness  # noqa: E402
import pages  # noqa: E402

BUILD = os.environ["PROCEVENT_BUILD"]
CMAKE = os.environ.get("PROCEVENT_CMAKE", "cmake")
COMPILERS = ("g++", "clang++-14")  # the library must work with both
TIMEOUT_SECONDS = 200  # for one command, on a busy machine
NOBODY = 65534
MIN_EVENT_BYTES = 400  # of the receive buffer, per event


def run(*command):
    """Runs a command without the compiler flags and launcher of this build. Returns its output."""
    environment = {name: value for name, value in os.environ.items()
                   if not re.match(r"CMAKE_|CXX|CPPFLAGS|LDFLAGS|CPATH|CPLUS_INCLUDE", name)}
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_SECONDS, env=environment, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}:\n{done.stdout}")
    return done.stdout


def receive_limit():
    with open("/proc/sys/net/core/rmem_max", encoding="ascii") as file:
        return int(file.read())


def install(prefix, component):
    run(CMAKE, "--install", BUILD, "--component", component, "--prefix", prefix)
    return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir())


def included(folder, header):
    """The header and all project headers that it includes, directly or indirectly."""
    found, left = set(), [header]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += re.findall(r'^#include "(.*)"$', (folder / name).read_text(encoding="utf-8"), re.MULTILINE)
    return found


def build_consumer(folder, prefix, compiler, *flags):
    run(CMAKE, "-S", HERE / "consumer", "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={' '.join(('-Wall -Wextra -Werror', *flags))}")
    run(CMAKE, "--build", folder)
    return folder / "print_execs"


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="procevent-library-")
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        cls.scratch.chmod(0o755)  # its programs run as another user
        cls.prefix = cls.scratch / "prefix"
        cls.files = install(cls.prefix, "library")
        cls.include = cls.prefix / "include"
        cls.consumers = {}

    def consumer(self, compiler):
        if compiler not in self.consumers:
            self.consumers[compiler] = build_consumer(self.scratch / compiler, self.prefix, compiler)
        return self.consumers[compiler]

    def test_components_install_separately(self):
        self.assertEqual(install(self.scratch / "exporter", "exporter"), ["bin/procevent_exporter"])
        others = [name for name in self.files if not re.fullmatch(
            r"include/procevent/core/.*\.h|lib/libprocevent_core\.a|lib/cmake/procevent/procevent-.*\.cmake", name)]
        self.assertEqual(others, [])

    def test_installs_exactly_the_headers_of_procevent_h(self):
        headers = {name.removeprefix("include/") for name in self.files if name.startswith("include/")}
        self.assertEqual(headers, included(self.include, "procevent/core/procevent.h"))

    def test_each_header_compiles_alone(self):
        headers = sorted(self.include.rglob("*.h"))
        self.assertGreater(len(headers), 10)
        run("g++", "-std=c++20", "-fsyntax-only", "-x", "c++", f"-I{self.include}", *headers)

    def test_package_files_contain_no_local_paths_or_flags(self):
        paths = (str(ROOT), os.path.realpath(BUILD), str(self.prefix), "/usr/")
        local_path = re.compile("|".join(map(re.escape, paths)))
        texts = sorted((self.prefix / "lib" / "cmake").rglob("*.cmake"))
        self.assertGreaterEqual(len(texts), 4)
        for file in texts:
            text = file.read_text(encoding="utf-8")
            self.assertEqual(local_path.findall(text), [], file.name)
            self.assertNotRegex(text, r"-W[a-z]|-Werror|-fsanitize", f"{file.name}: exports private compiler flags")
            self.assertNotIn("<LINK_ONLY:>", text, file.name)

    def test_consumer_builds_with_each_compiler(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                if not shutil.which(compiler):
                    print(f"skipped, not installed: {compiler}")
                    continue
                self.assertTrue(os.access(self.consumer(compiler), os.X_OK))

    def test_consumer_with_its_own_core_directory_builds(self):
        own_core = self.scratch / "own_core"
        for name in sorted(name for name in self.files if name.endswith(".h")):
            header = own_core / name.partition("include/procevent/")[2]
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text("#error wrong header\n", encoding="utf-8")
        self.assertTrue((own_core / "core" / "base" / "result.h").exists())
        build_consumer(self.scratch / "with_own_core", self.prefix, COMPILERS[0], f"-I{own_core}")

    def test_detects_each_missing_header(self):
        headers = sorted(name for name in self.files if name.startswith("include/"))
        for name in headers:
            with self.subTest(name):
                (self.prefix / name).rename(self.scratch / "missing.h")
                try:
                    with self.assertRaises((AssertionError, FileNotFoundError)):
                        self.test_installs_exactly_the_headers_of_procevent_h()
                finally:
                    (self.scratch / "missing.h").rename(self.prefix / name)

    def test_page_quotes_the_consumer(self):
        blocks = pages.blocks(pages.read("docs/library.md"))
        for language, name in (("cpp", "print_execs.cc"), ("cmake", "CMakeLists.txt")):
            shown = [block.text for block in blocks if block.language == language]
            self.assertEqual(shown, [(HERE / "consumer" / name).read_text(encoding="utf-8").rstrip("\n")])

    def test_consumer_prints_executed_programs(self):
        harness.require(harness.live_skip_reason())
        with Consumer(self.consumer(COMPILERS[0])) as consumer:
            consumer.await_exec(self.unique_program())
            self.assertEqual(consumer.stop(), 0)

    def test_consumer_reports_receive_errors(self):
        harness.require(harness.live_skip_reason())
        source, preload = self.scratch / "preload.cc", self.scratch / "preload.so"
        source.write_text("#include <errno.h>\n" 'extern "C" int recvmmsg() { errno = EIO; return -1; }\n',
                          encoding="utf-8")
        run("g++", "-shared", "-fPIC", source, "-o", preload)
        done = subprocess.run([self.consumer(COMPILERS[0])], env={"LD_PRELOAD": str(preload)}, capture_output=True,
                              text=True, timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^cannot receive.*: Input/output error.*\n$")

    def test_consumer_reports_losses(self):
        harness.require(harness.live_skip_reason())
        events = 2 * receive_limit() // MIN_EVENT_BYTES  # at least all that fit into an unprivileged receive buffer
        if events > 200_000:
            self.skipTest(f"net.core.rmem_max has room for {events} events")
        with Consumer(self.consumer(COMPILERS[0]), user=NOBODY) as consumer:
            try:
                consumer.await_exec(self.unique_program())
            except ChildProcessError as error:
                self.skipTest(str(error))  # this kernel lets only root subscribe
            connector.prime_cpus()  # a gap is a loss only after the first event of its CPU
            consumer.process.send_signal(signal.SIGSTOP)
            with harness.Storm("fork", events) as storm:
                storm.wait()
            consumer.process.send_signal(signal.SIGCONT)
            # The next event of the CPU that fits into the queue reveals the loss.
            harness.wait_for("a loss", lambda: connector.prime_cpus() or consumer.first(r"[1-9]\d* events were lost"))
            consumer.await_exec(self.unique_program())
            self.assertEqual(consumer.stop(), 0)

    def unique_program(self):
        """Copies `sleep` to a unique name, so that no other process runs it."""
        program = self.scratch / f"lib{random.randrange(10**9)}"
        shutil.copy(shutil.which("sleep"), program)
        return program


class Consumer:
    """Runs the consumer and stops it with SIGINT. A killed one would stay in the kernel's listener count."""

    def __init__(self, program, user=None):
        self.process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, user=user)
        self._lines = []
        self._reader = threading.Thread(target=lambda: self._lines.extend(self.process.stdout))
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.stop()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(harness.DEADLINE_SECONDS)
        self._reader.join()
        return self.process.returncode

    def first(self, pattern):
        """The first matching line, or None."""
        return next((line for line in list(self._lines) if re.fullmatch(pattern, line.rstrip("\n"))), None)

    def await_exec(self, program):
        """Executes `program` repeatedly until the consumer, which may not be subscribed yet, prints it."""
        deadline = time.monotonic() + harness.DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with subprocess.Popen([program, "60"], user=NOBODY) as child:
                try:
                    pattern = f"{child.pid} user {NOBODY} command {program.name}"
                    harness.wait_for("the line", lambda: self.first(pattern) or self.process.poll() is not None, 2)
                except AssertionError:
                    continue
                finally:
                    child.kill()
            if self.first(pattern):
                return
            raise ChildProcessError(f"consumer exited with {self.stop()}: {self._lines}")
        raise AssertionError(f"consumer did not print the program: {self._lines[-20:]}")


if __name__ == "__main__":
    harness.main()
