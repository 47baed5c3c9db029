"""Node programs from a folder of the tests, installed from its lock file into the build folder."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PROCEVENT_BUILD", ROOT / "build" / "dev")) / "deploy"
SECONDS = 900  # for an installation of half a gigabyte on a busy machine


def skip_reason():
    """One line, where there is no node to run; else None."""
    names = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"not installed: {', '.join(names)}" if names else None


class Programs:
    def __init__(self, sources):
        self.folder = BUILD / sources.name
        self.folder.mkdir(parents=True, exist_ok=True)
        installed = self.folder / "node_modules" / "installed"
        lock = (sources / "package-lock.json").read_bytes()
        for file in sources.iterdir():
            shutil.copy(file, self.folder)
        if not installed.exists() or installed.read_bytes() != lock:
            self.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            installed.write_bytes(lock)

    def call(self, *command):
        """Exit code and output of a command."""
        done = subprocess.run(list(map(str, command)), cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        return done.returncode, done.stdout

    def run(self, *command):
        code, printed = self.call(*command)
        if code != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {code}:\n{printed}")
        return printed
