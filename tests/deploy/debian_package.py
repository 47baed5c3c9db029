"""Builds the Debian package with deploy/package.sh."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECONDS = 3000  # may include the installation of a compiler
NAME = "procevent-exporter"


def build():
    """The path of the package. Built with a restrictive umask, which must not matter."""
    done = subprocess.run([ROOT / "deploy" / "package.sh"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS, umask=0o077, check=False)
    if done.returncode != 0:
        raise AssertionError(f"deploy/package.sh: exit {done.returncode}:\n{done.stderr[-4000:]}")
    return pathlib.Path(done.stdout.strip())
