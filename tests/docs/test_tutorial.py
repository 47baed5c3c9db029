"""Follows docs/tutorial.md: starts its script, runs its commands in order, and must find and stop the script."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402
import pages  # noqa: E402

PAGE = "docs/tutorial.md"
SCRIPT = "report-loop.sh"
NEEDS_SYSTEMD = "systemctl"
SHORTER = (("sleep 10", "sleep 3"), ("--duration=5s", "--duration=2s"))
SECONDS = 60  # for one command


class Reader:
    """Runs the commands of the page as a reader does, with what earlier commands printed in place of NAME and PID."""

    def __init__(self, directory, port):
        self.directory = directory
        self.replacements = {"localhost:13675": f"127.0.0.1:{port}"}
        os.symlink(harness.exporter_binary(), f"{directory}/procevent_exporter")
        self.environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}

    def run(self, command):
        for word, replacement in (*SHORTER, *self.replacements.items()):
            command = command.replace(word, replacement)
        done = subprocess.run(["bash", "-euc", command], cwd=self.directory, text=True,
                              env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        if done.returncode != 0 or not done.stdout and not command.startswith(("curl", "kill")):
            raise AssertionError(f"{command}: exit {done.returncode}:\n{done.stdout}")
        return done.stdout


class Tutorial(harness.LiveTest):
    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory(prefix="procevent-tutorial-"))
        (text,) = [block.text for block in pages.blocks(pages.read(PAGE)) if block.text.startswith("#!")]
        path = pathlib.Path(self.directory) / SCRIPT
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o755)
        self.exporter = self.enterContext(harness.Exporter()).wait_ready()
        self.script = subprocess.Popen([path], stdin=subprocess.DEVNULL, process_group=0)
        self.addCleanup(self.end_script)

    def end_script(self):
        if self.script.poll() is None:
            os.killpg(self.script.pid, signal.SIGKILL)
            self.script.wait()

    def test_culprit_is_found_and_stopped(self):
        commands = [command for block in pages.blocks(pages.read(PAGE)) if block.language == "sh"
                    for command in pages.commands(block.text) if not command.startswith(NEEDS_SYSTEMD)]
        reader = Reader(self.directory, self.exporter.port)
        printed = {}
        for command in commands:
            printed[command] = reader.run(command)
            if command.startswith("awk"):
                self.assertIn(f'procevent_forks_total{{comm="{SCRIPT}"}}', printed[command])
                reader.replacements["NAME"] = SCRIPT
            elif "--comm=NAME" in command:
                reader.replacements["PID"] = printed[command].split()[1]
                self.assertEqual(reader.replacements["PID"], str(self.script.pid))
            elif command.startswith("ps "):
                self.assertRegex(printed[command], rf"(?m)^ *{self.script.pid} .*{re.escape(SCRIPT)}$")
            elif "--type=exec" in command:
                self.assertLessEqual({"date", "grep", "cat"}, set(re.findall(r':"([\w.]+)"', printed[command])))
        self.assertEqual(self.script.wait(harness.DEADLINE_SECONDS), -signal.SIGTERM)
        scrape, compare = [command for command in commands if re.search(r"\bbefore\b", command)]  # step 3 again
        reader.run(scrape)
        self.assertNotIn(SCRIPT, reader.run(compare))



if __name__ == "__main__":
    harness.main()
