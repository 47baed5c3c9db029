#!/usr/bin/env python3
"""Tests the Debian package: its content, and its installation, use, upgrade, removal and purge in a fresh Debian 12."""

import contextlib
import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "deploy" / "debian")]

import debian_package  # noqa: E402
import fresh_root  # noqa: E402
import harness  # noqa: E402
import package_pages  # noqa: E402

NAME = debian_package.NAME
VERSION = re.search(r"(?m)^project\(\w+ VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
CONFIG = "etc/procevent_exporter/procevent_exporter.yml"
DEFAULT = "etc/default/procevent_exporter"
ENABLED = "etc/systemd/system/multi-user.target.wants/procevent_exporter.service"
DOCS = f"usr/share/doc/{NAME}"
SHARED = "usr/share/procevent_exporter"
UNIT = "lib/systemd/system/procevent_exporter.service"
FILES = {  # installed path and its source file
    CONFIG: "deploy/procevent_exporter.yml",
    DEFAULT: "deploy/debian/default",
    UNIT: "deploy/systemd/procevent_exporter.service",
    **{f"{DOCS}/{page}": None for page in package_pages.pages(ROOT)},
    f"{DOCS}/changelog.gz": "CHANGELOG.md",
    f"{DOCS}/copyright": "deploy/debian/copyright",
    f"{DOCS}/changelog.Debian.gz": None,
    "usr/bin/procevent_exporter": None,
    "usr/share/man/man1/procevent_exporter.1.gz": None,
    **{f"{SHARED}/{path.relative_to(ROOT / 'deploy')}": path.relative_to(ROOT)
       for folder in ("grafana/dashboards", "grafana/provisioning", "prometheus")
       for path in (ROOT / "deploy" / folder).rglob("*") if path.is_file()},
}
# A lintian tag for packages of Debian's archive, which this is not.
ARCHIVE_TAG = "initial-upload-closes-no-bugs"


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def next_version(package, folder):
    """The package with version -2 and another configuration."""
    tree = folder / "next"
    fresh_root.run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(text.replace(f"Version: {VERSION}-1\n", f"Version: {VERSION}-2\n"), encoding="utf-8")
    with open(tree / CONFIG, "a", encoding="utf-8") as file:
        file.write("# of the next version\n")
    fresh_root.run("dpkg-deb", "--root-owner-group", "-b", tree, folder)
    return folder / package.name.replace(f"{VERSION}-1", f"{VERSION}-2")


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="procevent-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.package = debian_package.build()
        cls.tree = cls.folder / "tree"
        fresh_root.run("dpkg-deb", "-R", cls.package, cls.tree)

    def test_files_and_modes(self):
        listed = fresh_root.run("dpkg-deb", "-c", self.package).splitlines()
        modes = {re.split(r" \./", line)[1]: line.split()[:2] for line in listed if not line.startswith("d")}
        self.assertEqual(set(modes), set(FILES))
        for path, source in FILES.items():
            with self.subTest(path):
                mode = "-rwxr-xr-x" if path.startswith("usr/bin/") else "-rw-r--r--"
                self.assertEqual(modes[path], [mode, "root/root"])
                if source:
                    self.assertEqual(content(self.tree / path), (ROOT / source).read_bytes())
        self.assertEqual({tuple(line.split()[:2]) for line in listed if line.startswith("d")},
                         {("drwxr-xr-x", "root/root")})

    def test_metadata(self):
        self.assertEqual(self.package.name.rpartition("_")[0], f"{NAME}_{VERSION}-1")
        fields = fresh_root.run("dpkg-deb", "-f", self.package)
        self.assertIn(f"Version: {VERSION}-1\n", fields)
        for library in ("libc6", "libcivetweb1", "libyaml-cpp0.7", "libre2-9", "libpcap0.8"):
            self.assertRegex(fields, rf"(?m)^Depends: .*\b{re.escape(library)} ")
        self.assertTrue(content(self.tree / DOCS / "changelog.Debian.gz").decode().startswith(f"{NAME} ({VERSION}-1) "))
        self.assertEqual((self.tree / "DEBIAN/conffiles").read_text(encoding="ascii").split(),
                         [f"/{DEFAULT}", f"/{CONFIG}"])
        self.assertNotIn(".symtab", fresh_root.run("readelf", "-S", self.tree / "usr/bin/procevent_exporter"))
        page = content(self.tree / "usr/share/man/man1/procevent_exporter.1.gz").decode()
        self.assertIn(f'"procevent_exporter {VERSION}"', page)
        for path in (f"/{CONFIG}", f"/{DEFAULT}", f"/{DOCS}/docs/metrics.md"):
            self.assertIn(path, page.replace("\\-", "-"))

    def test_description_is_that_of_the_product(self):
        fields = fresh_root.run("dpkg-deb", "-f", self.package, "Description").splitlines()
        self.assertEqual(fields[0], "Prometheus exporter for Linux process events")
        first = " ".join(line.strip() for line in fields[1:fields.index(" .")])
        self.assertEqual(first, (ROOT / "Dockerfile").read_text(encoding="utf-8").partition('description="')[2]
                         .partition('"')[0])

    def test_pages(self):
        """tests/deploy/test_package_pages.py checks their content."""
        packaged = package_pages.pages(ROOT)
        for name in packaged:
            wanted = package_pages.page_for_package((ROOT / name).read_text(encoding="utf-8"), name, packaged)
            with self.subTest(name):
                self.assertEqual((self.tree / DOCS / name).read_text(encoding="utf-8"), wanted)

    def test_copyright_contains_the_license(self):
        words = " ".join(line.strip().removeprefix(".") for line in
                         (self.tree / DOCS / "copyright").read_text(encoding="utf-8").splitlines()).split()
        license_words = (ROOT / "LICENSE").read_text(encoding="utf-8").partition("Permission")[2].split()
        self.assertIn(" ".join(license_words), " ".join(words))

    def test_lintian_finds_no_fault(self):
        harness.require(None if shutil.which("lintian") else "lintian is not installed")
        lintian = ["lintian", "--fail-on", "error,warning", "--suppress-tags", ARCHIVE_TAG, "--allow-root"]
        done = subprocess.run([*lintian, self.package], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=fresh_root.SECONDS, check=False)
        self.assertEqual((done.returncode, re.findall(r"(?m)^[EW]: .*", done.stdout)), (0, []), done.stdout)

    def test_scripts_pass_shellcheck(self):
        harness.require(None if shutil.which("shellcheck") else "shellcheck is not installed")
        fresh_root.run("shellcheck", *(self.tree / "DEBIAN" / name for name in ("postinst", "prerm", "postrm")))

    def test_install_upgrade_remove_purge(self):
        harness.require(fresh_root.skip_reason())
        fresh_root.own_mounts()
        with fresh_root.FreshRoot() as root:
            packages, files = root.packages(), root.files()
            root.install(self.package)
            self.check_installed(root)
            self.check_use(root)
            self.check_upgrade(root)
            root.run("apt-get", "-q", "remove", "-y", NAME)
            left = [path for path in FILES if (root.path / path).exists()]
            self.assertEqual(left, [CONFIG, DEFAULT])
            root.run("apt-get", "-q", "purge", "-y", NAME)
            root.install(self.package)
            self.check_installed(root)  # as on a first installation
            root.run("apt-get", "-q", "purge", "-y", NAME)
            root.run("apt-get", "-q", "autoremove", "--purge", "-y")
            self.assertEqual(root.packages(), packages)
            after = root.files()
            self.assertEqual({path: (files.get(path), after.get(path)) for path in files.keys() | after.keys()
                              if files.get(path) != after.get(path)}, {})

    def check_installed(self, root):
        self.assertIn(f"{NAME} {VERSION}-1 installed", root.packages())
        self.assertEqual(root.run("dpkg", "--verify", NAME), "")
        self.assertTrue((root.path / ENABLED).is_symlink())
        self.assertEqual(root.run("dpkg", "--audit"), "")

    def check_use(self, root):
        """Runs the binary as the unit does, with the demo."""
        unit = (root.path / UNIT).read_text(encoding="utf-8")
        binary = re.search(r"(?m)^ExecStart=(\S+) \$ARGS$", unit)[1]
        environment = dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", unit))
        self.assertEqual(root.run(binary, "--version"), f"procevent_exporter {VERSION}\n")
        configured = root.run("env", *(f"{name}={value}" for name, value in environment.items()), binary,
                              "check-config")
        self.assertIn(f"/{CONFIG}", configured)
        shutil.copy(ROOT / "deploy/demo/demo.pcap", root.path / "tmp")
        port = harness.free_port()
        exporter = subprocess.Popen(
            root.command(binary, "--source.replay=/tmp/demo.pcap", f"--web.listen-address=127.0.0.1:{port}"),
            env={**root.ENVIRONMENT, **environment}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            page = harness.wait_for("the metrics", lambda: fetch(f"http://127.0.0.1:{port}/metrics"))
            self.assertIn(b"\nprocevent_replayed 1\n", page)
        finally:
            exporter.terminate()
            self.assertEqual(exporter.wait(harness.DEADLINE_SECONDS), 0)

    def check_upgrade(self, root):
        """An upgrade keeps a changed configuration and a disabled service."""
        edited = "groups:\n  limit: 77\n"
        (root.path / CONFIG).write_text(edited, encoding="utf-8")
        (root.path / ENABLED).unlink()
        page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
        unattended = re.search(r"`apt-get -y (-o Dpkg\S+) install ", page)[1]
        root.install(next_version(self.package, self.folder), *unattended.split())
        self.assertIn(f"{NAME} {VERSION}-2 installed", root.packages())
        self.assertEqual((root.path / CONFIG).read_text(encoding="utf-8"), edited)
        self.assertFalse((root.path / ENABLED).is_symlink())
        self.assertRegex(root.run("/usr/bin/procevent_exporter", "check-config", f"--config.file=/{CONFIG}"),
                         r"limit: 77")


def fetch(url):
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=harness.DEADLINE_SECONDS) as answer:
        return answer.read()
    return None


if __name__ == "__main__":
    harness.main()
