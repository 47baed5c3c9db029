#!/usr/bin/env python3
"""The library as others get it: installed, found by find_package, and used by a program of theirs (consumer/)."""

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
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import connector  # noqa: E402
import harness  # noqa: E402
import readme  # noqa: E402

BUILD = os.environ["PROCEVENT_BUILD"]
CMAKE = os.environ.get("PROCEVENT_CMAKE", "cmake")
COMPILERS = ("g++", "clang++-14")  # a library is for other compilers, too
SECONDS = 200  # for one command, on a busy machine
NOBODY = 65534
EVENT_BYTES = 400  # of a receive buffer, at least


def run(*command):
    """What it printed. Without the compiler's launcher and flags of our own build."""
    environment = {name: value for name, value in os.environ.items()
                   if not re.match(r"CMAKE_|CXX|CPPFLAGS|LDFLAGS|CPATH|CPLUS_INCLUDE", name)}
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS, env=environment, check=False)
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
    """The header and all of ours that it includes, by itself or by what it includes."""
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
        cls.scratch.chmod(0o755)  # programs in it are run as somebody else
        cls.prefix = cls.scratch / "prefix"
        cls.files = install(cls.prefix, "library")
        cls.include = cls.prefix / "include"
        cls.consumers = {}

    def consumer(self, compiler):
        if compiler not in self.consumers:
            self.consumers[compiler] = build_consumer(self.scratch / compiler, self.prefix, compiler)
        return self.consumers[compiler]

    def test_each_component_alone(self):
        self.assertEqual(install(self.scratch / "exporter", "exporter"), ["bin/procevent_exporter"])
        others = [name for name in self.files if not re.fullmatch(
            r"include/procevent/core/.*\.h|lib/libprocevent_core\.a|lib/cmake/procevent/procevent-.*\.cmake", name)]
        self.assertEqual(others, [])

    def test_the_headers_are_those_that_the_one_includes(self):
        headers = {name.removeprefix("include/") for name in self.files if name.startswith("include/")}
        self.assertEqual(headers, included(self.include, "procevent/core/procevent.h"))

    def test_each_header_compiles_alone(self):
        headers = sorted(self.include.rglob("*.h"))
        self.assertGreater(len(headers), 10)
        run("g++", "-std=c++20", "-fsyntax-only", "-x", "c++", f"-I{self.include}", *headers)

    def test_no_path_of_this_machine_is_installed(self):
        named = re.compile("|".join(map(re.escape, (str(ROOT), os.path.realpath(BUILD), str(self.prefix), "/usr/"))))
        texts = sorted((self.prefix / "lib" / "cmake").rglob("*.cmake"))
        self.assertGreaterEqual(len(texts), 4)
        for file in texts:
            text = file.read_text(encoding="utf-8")
            self.assertEqual(named.findall(text), [], file.name)
            self.assertNotRegex(text, r"-W[a-z]|-Werror|-fsanitize", f"{file.name}: our flags are not the users'")
            self.assertNotIn("<LINK_ONLY:>", text, file.name)

    def test_a_consumer_builds_with_either_compiler(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                if not shutil.which(compiler):
                    print(f"not installed, so not tried: {compiler}")
                    continue
                self.assertTrue(os.access(self.consumer(compiler), os.X_OK))

    def test_one_with_a_core_of_its_own_builds(self):
        theirs = self.scratch / "theirs"
        for name in sorted(name for name in self.files if name.endswith(".h")):
            header = theirs / name.partition("include/procevent/")[2]
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text("#error this is not what the library means\n", encoding="utf-8")
        self.assertTrue((theirs / "core" / "base" / "result.h").exists())
        build_consumer(self.scratch / "with_theirs", self.prefix, COMPILERS[0], f"-I{theirs}")

    def test_without_one_header_it_does_not(self):
        headers = sorted(name for name in self.files if name.startswith("include/"))
        for name in headers:
            with self.subTest(name):
                (self.prefix / name).rename(self.scratch / "missing.h")
                try:
                    with self.assertRaises((AssertionError, FileNotFoundError)):
                        self.test_the_headers_are_those_that_the_one_includes()
                finally:
                    (self.scratch / "missing.h").rename(self.prefix / name)

    def test_readme_shows_this_consumer(self):
        blocks = readme.blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        for language, name in (("cpp", "print_execs.cc"), ("cmake", "CMakeLists.txt")):
            shown = [block.text for block in blocks if block.language == language]
            self.assertEqual(shown, [(HERE / "consumer" / name).read_text(encoding="utf-8").rstrip("\n")])

    def test_it_prints_what_is_executed(self):
        harness.require(harness.live_skip_reason())
        with Consumer(self.consumer(COMPILERS[0])) as consumer:
            consumer.await_exec(self.program())
            self.assertEqual(consumer.stop(), 0)

    def test_it_tells_that_it_cannot_receive(self):
        harness.require(harness.live_skip_reason())
        source, fault = self.scratch / "fault.cc", self.scratch / "fault.so"
        source.write_text("#include <errno.h>\n" 'extern "C" int recvmmsg() { errno = EIO; return -1; }\n',
                          encoding="utf-8")
        run("g++", "-shared", "-fPIC", source, "-o", fault)
        done = subprocess.run([self.consumer(COMPILERS[0])], env={"LD_PRELOAD": str(fault)}, capture_output=True,
                              text=True, timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^cannot receive.*: Input/output error.*\n$")

    def test_it_tells_losses(self):
        harness.require(harness.live_skip_reason())
        events = 2 * receive_limit() // EVENT_BYTES  # all that fit; without privilege, that is not many
        if events > 200_000:
            self.skipTest(f"net.core.rmem_max has room for {events} events")
        with Consumer(self.consumer(COMPILERS[0]), user=NOBODY) as consumer:
            try:
                consumer.await_exec(self.program())
            except ChildProcessError as ended:
                self.skipTest(str(ended))  # this kernel lets only root listen
            connector.prime_cpus()  # from a CPU's first event on a gap is a loss
            consumer.process.send_signal(signal.SIGSTOP)
            with harness.Storm("fork", events) as storm:
                storm.wait()
            consumer.process.send_signal(signal.SIGCONT)
            # It shows with the next event of its CPU that finds room.
            harness.wait_for("a loss", lambda: connector.prime_cpus() or consumer.first(r"[1-9]\d* events were lost"))
            consumer.await_exec(self.program())
            self.assertEqual(consumer.stop(), 0)

    def program(self):
        """A program that nobody else runs."""
        program = self.scratch / f"lib{random.randrange(10**9)}"
        shutil.copy(shutil.which("sleep"), program)
        return program


class Consumer:
    """It runs, and is stopped at the end of the `with`: one that is killed stays in the kernel's count of listeners."""

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
        """The first line that is of this form, or None."""
        return next((line for line in list(self._lines) if re.fullmatch(pattern, line.rstrip("\n"))), None)

    def await_exec(self, program):
        """Waits until it has printed that `program` is executed, which is done again and again until it listens."""
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
            raise ChildProcessError(f"it ended with {self.stop()}: {self._lines}")
        raise AssertionError(f"it did not print what was executed: {self._lines[-20:]}")


if __name__ == "__main__":
    harness.main()
