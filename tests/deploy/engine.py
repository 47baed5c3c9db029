"""A Docker engine for the tests, a Debian base image made by debootstrap, and exporters in containers."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import fresh_root  # noqa: E402
import harness  # noqa: E402

SECONDS = 60  # for a command that builds nothing
START_SECONDS = 60
BUILD_SECONDS = 2400  # for a full build on two busy cores
IMAGE = "procevent_exporter"
BASE = "debian:bookworm-slim"
CACHE = ROOT / "build" / "deploy"  # for results that take minutes and do not change
# Files that the slim image leaves out.
NOT_SLIM = ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "usr/share/doc/*", "usr/share/man/*",
            "usr/share/info/*", "usr/share/locale/*", "var/log/*")


def skip_reason():
    """One line, where no engine can run; else None."""
    if os.geteuid() != 0:
        return "not root"
    for name in ("dockerd", "docker", "debootstrap"):
        if shutil.which(name) is None:
            return f"{name} is missing: deploy/install_packages.sh deploy"
    return None if fresh_root.mirror() else f"apt's sources have no {fresh_root.RELEASE} main"


def run(*command, seconds=SECONDS, **options):
    """Runs a command and returns its output. Raises with the output on a failure."""
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}:\n{done.stdout[-8000:]}")
    return done.stdout


def debian():
    """A tar of Debian 12 like the official slim image. Made once and cached."""
    tar = CACHE / "bookworm-slim.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="procevent-base-") as folder:
            root = pathlib.Path(folder) / "root"
            run("debootstrap", "--variant=minbase", fresh_root.RELEASE, root, fresh_root.mirror(),
                seconds=BUILD_SECONDS)
            for pattern in NOT_SLIM:
                for path in root.glob(pattern):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            part = tar.with_suffix(".part")
            run("tar", "-C", root, "--numeric-owner", "-cf", part, ".", seconds=BUILD_SECONDS)
            part.rename(tar)
    return tar


class Engine:
    """A dockerd with its own data and socket. It and its containers end with the `with`."""

    def __init__(self, *options, prefix=()):
        self._directory = tempfile.TemporaryDirectory(prefix="procevent-engine-")
        self._folder = pathlib.Path(self._directory.name)
        self._prefix = prefix
        self._options = options
        self._process = self._undo = None

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._directory)
            undo.callback(self._unmount)
            os.chmod(self._folder, 0o711)  # for the users that root is mapped to
            log = undo.enter_context(open(self._folder / "log", "wb"))
            self._process = subprocess.Popen(
                [*self._prefix, "dockerd", f"--data-root={self._folder / 'data'}",
                 f"--exec-root={self._folder / 'exec'}", f"--pidfile={self._folder / 'pid'}",
                 f"--host={self.host}", "--iptables=false", "--ip6tables=false",
                 "--ip-forward=false", "--bridge=none", *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            undo.callback(self._end)
            harness.wait_for("the engine", self._answers, START_SECONDS)
            undo.callback(self._remove_containers)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _remove_containers(self):
        for container in self.run("ps", "--all", "--quiet").split():
            self.run("rm", "--force", container)

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _unmount(self):
        """Unmounts the mounts that dockerd leaves behind."""
        mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        for place in reversed([line.split()[1] for line in mounts]):
            if place.startswith(self._directory.name + "/"):
                run("umount", place)

    def _answers(self):
        if self._process.poll() is not None:
            log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"dockerd ended with {self._process.returncode}:\n{log[-4000:]}")
        return subprocess.run(["docker", f"--host={self.host}", "info"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=SECONDS, check=False).returncode == 0

    @property
    def host(self):
        return f"unix://{self._folder / 'docker.sock'}"

    def run(self, *arguments, seconds=SECONDS, **options):
        return run("docker", f"--host={self.host}", *arguments, seconds=seconds, **options)

    def inspect(self, name, template):
        return json.loads(self.run("inspect", "--format", "{{json " + template + "}}", name))

    def load_base(self):
        self.run("import", debian(), BASE, seconds=BUILD_SECONDS)

    def build(self, *options):
        """Builds the image from the checkout and returns the seconds it took."""
        start = time.monotonic()
        # This engine has neither BuildKit nor a network of its own.
        self.run("build", "--network=host", "--tag", IMAGE, *options, ROOT, seconds=BUILD_SECONDS,
                 env={**os.environ, "DOCKER_BUILDKIT": "0"})
        return time.monotonic() - start


class Container(harness.ServingExporter):
    """An exporter in a container, on a free loopback port. Removed at the end of the `with`."""

    def __init__(self, engine, *options, image=IMAGE, arguments=()):
        self.port = harness.free_port()
        self._engine = engine
        self.name = engine.run("run", "--detach", "--health-interval=1s", *options, "--env",
                               f"PROCEVENT_WEB_LISTEN_ADDRESSES=127.0.0.1:{self.port}", image, *arguments).split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        code = self.stop()
        if failure is not None or code != 0:
            sys.stderr.write(f"the container's log:\n{self.log()}\n")
        self._engine.run("rm", "--force", self.name)
        if failure is None and code != 0:
            raise AssertionError(f"the exporter in its container ended with {code}")

    def stop(self):
        self._engine.run("stop", self.name)
        return self.inspect(".State.ExitCode")

    def inspect(self, template):
        return self._engine.inspect(self.name, template)

    def log(self):
        return self._engine.run("logs", self.name)

    def pid(self):
        return self.inspect(".State.Pid")

    def exit_code(self):
        return None if self.inspect(".State.Running") else self.inspect(".State.ExitCode")

    def health(self):
        return self.inspect(".State.Health.Status")


def published_command(text):
    """The options of README.md's command line for the container, without its name."""
    words = re.search(r"^docker run (.*?)procevent_exporter$", text.replace("\\\n", " "), re.MULTILINE)
    if words is None:
        raise AssertionError("README has no line `docker run ... procevent_exporter`")
    return [word for word in words.group(1).split() if word not in ("--detach", "-d")]
