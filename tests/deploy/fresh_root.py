"""A fresh Debian 12 in a folder, made by debootstrap from the package mirror of this machine. Commands run in it as
root."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

SECONDS = 1200  # for one command: debootstrap on a slow machine
RELEASE = "bookworm"
CLONE_NEWNS = 0x00020000
TOOLS = ("debootstrap", "apt-get", "chroot", "mount")
# Files that apt and dpkg change with every installation.
VOLATILE = ("var/cache", "var/log", "var/lib/apt", "var/lib/dpkg/available", "var/lib/dpkg/status", "var/lib/dpkg/lock",
            "var/lib/dpkg/triggers", "etc/ld.so.cache", "proc", "tmp")
_libc = ctypes.CDLL(None, use_errno=True)


def mirror():
    """The site of this machine's Debian 12 packages, or None."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)",
                           "Identifier: Packages"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    sites = [words[0] for words in map(str.split, done.stdout.splitlines()) if words[1:] == [RELEASE, "main"]]
    return sites[0] if sites else None


def skip_reason():
    """One line, where no fresh root can be made; else None."""
    if os.geteuid() != 0:
        return "not root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return None if mirror() else f"apt's sources have no {RELEASE} main"


def run(*command, **more):
    """Runs a command and returns its output."""
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def own_mounts():
    """Gives this process a mount namespace of its own, so that its mounts end with it."""
    if _libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")


class FreshRoot:
    """A folder with Debian 12, deleted at the end of the `with`. Requires own_mounts()."""

    ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="procevent-root-")
        self.path = pathlib.Path(self._folder.name) / "root"
        self._undo = None

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._folder)
            run("debootstrap", "--variant=minbase", RELEASE, self.path, mirror())
            for name in ("sources.list", "sources.list.d", "apt.conf.d", "trusted.gpg.d"):
                self._copy(pathlib.Path("/etc/apt") / name)
            self._copy(pathlib.Path("/etc/resolv.conf"))
            run("mount", "-t", "proc", "proc", self.path / "proc")
            undo.callback(run, "umount", self.path / "proc")
            self.run("apt-get", "-q", "update")
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _copy(self, source):
        target = self.path / source.relative_to("/")
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        elif source.exists():
            target.unlink(missing_ok=True)
            shutil.copy(source, target)
        else:
            target.unlink(missing_ok=True)

    def command(self, *words):
        return ["chroot", str(self.path), *map(str, words)]

    def run(self, *words):
        return run(*self.command(*words), env=self.ENVIRONMENT)

    def install(self, package, *options):
        """Installs a .deb from outside, with its dependencies."""
        shutil.copy(package, self.path / "tmp")
        return self.run("apt-get", "-q", "install", "-y", "--no-install-recommends", *options, f"/tmp/{package.name}")

    def packages(self):
        return self.run("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\\n").splitlines()

    def files(self):
        """Mode, owner and content (or a hash of it) of each path."""
        found = {}
        for folder, folders, names in os.walk(self.path):
            inside = os.path.relpath(folder, self.path)
            folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in VOLATILE]
            for name in folders + names:
                path, place = os.path.join(folder, name), os.path.normpath(f"{inside}/{name}")
                if not place.startswith(VOLATILE):
                    found[place] = _state(path)
        return found


def _state(path):
    status = os.lstat(path)
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    return oct(status.st_mode), status.st_uid, status.st_gid, content
