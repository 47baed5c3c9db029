"""Runs the commands of the pages. A runner is called as runner(tree, command)."""

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess

import harness
from pages import ROOT

TREE = ("CMakeLists.txt", "CMakePresets.json", "cmd", "config", "core", "deploy", "exporter", "tests")
SECONDS = 60  # for one command
NOOP = bytes.fromhex("10000000010000000000000000000000")  # a control message, for each input format


class Tree:
    """A copy of the sources with the binaries of this build at the paths of the pages' commands."""

    def __init__(self, root):
        self.root = root
        for name in TREE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, os.path.join(root, name))
        tools = os.path.dirname(harness.program("PROCEVENT_STORM"))
        for folder in ("build/release", "build/bench", "build/dev"):
            self._link(harness.exporter_binary(), f"{folder}/procevent_exporter")
            for name in ("storm", "tiny", "bare_loop", "exit_status", "processing_bench"):
                self._link(os.path.join(tools, name), f"{folder}/tests/bench/{name}")
        self._link(shutil.which("true"), "stubs/cmake")
        self._put("noop.json", b'{"control":"noop"}')
        self._put("noop.hex", NOOP.hex().encode())
        self._put("noop.pcap", struct.pack("<IHHiIII8xII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 253, 16 + len(NOOP),
                                           16 + len(NOOP)) + struct.pack(">HH10xH", 4, 824, 11) + NOOP)

    def _put(self, name, content):
        with open(os.path.join(self.root, name), "wb") as file:
            file.write(content)

    def _link(self, target, name):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def environment(self, stubs=False):
        """`stubs`: replaces cmake by a program that does nothing."""
        first = [os.path.join(self.root, "stubs")] if stubs else []
        return {**os.environ, "PATH": ":".join([*first, os.path.join(self.root, "build/release"), os.environ["PATH"]])}


def skipped(reason):
    """Does not run the command, and prints the reason."""
    return lambda tree, command: print(f"not run ({reason}): {command}")


def run(more="", shows="", instead=()):
    """Runs the command after replacing placeholders (`instead`), with additional arguments (`more`). The runner returns
    the output."""

    def runner(tree, command):
        for word, replacement in instead:
            if word not in command:
                raise AssertionError(f"{command}: no {word!r} to replace")
            command = command.replace(word, replacement)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{command} {more}"], cwd=tree.root, text=True,
                              env=tree.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        if done.returncode != 0 or not re.search(shows, done.stdout):
            raise AssertionError(f"{command}: exit {done.returncode}, missing {shows!r}:\n{done.stdout}")
        return done.stdout

    return runner


def serve(tree, command):
    """Runs deploy/run.sh: the printed command shows the metrics, and SIGTERM ends the script with 0."""
    address = f"127.0.0.1:{harness.free_port()}"
    command = command.removesuffix("&").replace("127.0.0.1:13675", address)
    if address not in command:
        command += f" --web.listen-address={address}"
    script = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=tree.root, env=tree.environment(stubs=True),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with script, contextlib.ExitStack() as stack:
        stack.callback(script.send_signal, signal.SIGTERM)
        printed = []
        for line in script.stdout:  # ends with the script
            printed.append(line)
            if line.strip().startswith("curl "):
                break
        else:
            raise AssertionError(f"{command}: no URL was printed:\n{''.join(printed)}")
        run(shows=r"(?m)^procevent_exporter_build_info\{")(tree, line.strip())
        script.send_signal(signal.SIGTERM)
        if script.wait(harness.DEADLINE_SECONDS) != 0:
            raise AssertionError(f"{command}: exit {script.returncode}:\n{''.join(printed)}{script.stdout.read()}")


def replay(tree, command):
    """Runs the exporter with the demo capture: it serves, and SIGTERM ends it with 0."""
    capture = f"--source.replay={tree.root}/deploy/demo/demo.pcap"
    with harness.Exporter(*re.sub(r"--source.replay=\S+", capture, command).split()[1:]) as exporter:
        exporter.wait_ready()
        if exporter.scrape().value("procevent_replayed") != 1:
            raise AssertionError(f"{command}: no replay")


def check_health(tree, command):
    with harness.Exporter() as exporter:
        exporter.wait_ready()
        run(more=f"--web.listen-address=127.0.0.1:{exporter.port}", shows="^healthy$")(tree, command)


def of_exporter(shows, *flags, ready=None):
    """Runs a command that asks an exporter on port 13675, once `ready(exporter)` holds, with one on a free port."""

    def runner(tree, command):
        demo = f"{tree.root}/deploy/demo/demo.pcap"
        with harness.Exporter(*(flag.replace("DEMO", demo) for flag in flags)) as exporter:
            exporter.wait_ready()
            if ready is not None:
                harness.wait_for("the exporter's numbers", lambda: ready(exporter))
            run(instead=[("localhost:13675", f"127.0.0.1:{exporter.port}")], shows=shows)(tree, command)

    return runner
