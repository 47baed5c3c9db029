#!/usr/bin/env python3
"""Tests the labels of the Dockerfile, the files that it copies, and .dockerignore."""

import fnmatch
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402

PRODUCT = ("core", "exporter", "config", "cmd")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def ignored(path):
    """Docker's rule: the last line that matches the path or one of its folders decides."""
    parts = path.split("/")
    found = False
    for line in IGNORED:
        pattern = line.removeprefix("!")
        depths = range(1, len(parts) + 1)
        if pattern.startswith("**/"):
            hit = any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            hit = any(depth == pattern.count("/") + 1 and fnmatch.fnmatchcase("/".join(parts[:depth]), pattern)
                      for depth in depths)
        if line and not line.startswith("#") and hit:
            found = not line.startswith("!")
    return found


class Image(unittest.TestCase):
    def label(self, name):
        return re.search(rf'org\.opencontainers\.image\.{name}="([^"]*)"', DOCKERFILE).group(1)

    def test_label_has_the_project_version(self):
        project = re.search(r"project\(procevent_exporter\s+VERSION ([\d.]+)",
                            (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
        self.assertEqual(self.label("version"), project)

    def test_label_has_the_licenses_of_compiled_in_code(self):
        text = (ROOT / "deploy" / "debian" / "copyright").read_text(encoding="utf-8")
        texts = re.findall(r"(?m)^License: (\S+)\n .", text)
        spdx = {"Expat": "MIT"}
        self.assertEqual(self.label("licenses"), " AND ".join(spdx[name] for name in texts))
        self.assertRegex(DOCKERFILE, r"(?m)^COPY --from=build /src/files/copyright /usr/share/doc/\S+/$")

    def test_label_describes_the_program_as_its_help_does(self):
        help_text = subprocess.run([harness.exporter_binary(), "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                                   text=True, timeout=harness.DEADLINE_SECONDS, check=True).stdout
        self.assertEqual(self.label("description"), help_text.splitlines()[0])

    def test_copied_files_are_readable_by_all(self):
        """The umask of the checkout does not matter."""
        self.assertIn("\nRUN chmod 644 files/*\n", DOCKERFILE)
        (prepared,) = re.findall(r"(?m)^COPY (deploy/.*) files/$", DOCKERFILE)
        copied = re.findall(r"(?m)^COPY --from=build /src/(\S+) ", DOCKERFILE)
        self.assertEqual(sorted(copied), sorted(["build/release/procevent_exporter",
                                                 *(f"files/{pathlib.Path(path).name}" for path in prepared.split())]))

    def test_default_build_compiles_once_and_runs_no_tests(self):
        """Builders without BuildKit build every stage up to the last one, so no stage may run the tests in a step."""
        stages = {name or "image": steps for name, steps in re.findall(
            r"(?ms)^FROM \S+(?: AS (\w+))?\n(.*?)(?=^FROM |\Z)", DOCKERFILE)}
        self.assertEqual(list(stages), ["build", "test", "image"])  # the last one is the default target
        steps = re.findall(r"(?m)^RUN (?:.*\\\n)*.*$", DOCKERFILE)
        self.assertEqual(len([step for step in steps if "cmake --build" in step]), 1)
        self.assertEqual([step for step in steps if "ctest" in step or "preset dev" in step], [])
        self.assertNotIn("RUN", stages["test"])
        self.assertRegex(stages["test"], r"(?m)^CMD .*cmake --build --preset dev; exec ctest ")

    def test_compiled_layer_depends_on_the_product_alone(self):
        before = DOCKERFILE.partition("\nRUN cmake ")[0]
        copied = {word for line in re.findall(r"(?m)^COPY (.*) \S+$", before) for word in line.split()}
        self.assertEqual(copied, {"deploy/install_packages.sh", "deploy/packages.txt", "CMakeLists.txt",
                                  "CMakePresets.json", "deploy/cmake", "deploy/debian/changelog.in", *PRODUCT})

    def test_unneeded_files_are_ignored(self):
        for path in (".git/HEAD", "Dockerfile", "build/dev/x.o", "deploy/grafana/dashboards/fork-storms.json",
                     "deploy/kubernetes/daemonset.yaml", "deploy/prometheus/alerts.rules.yml",
                     "tests/deploy/test_image.py", "tests/e2e/__pycache__/harness.cpython-311.pyc"):
            with self.subTest(path):
                self.assertTrue(ignored(path))

    def test_sources_are_not_ignored(self):
        """Unit tests read README.md and pages of docs/."""
        named = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for path in {"README.md", "docs/metrics.md", "deploy/procevent_exporter.yml", *" ".join(named).split()} - {"."}:
            with self.subTest(path):
                self.assertTrue((ROOT / path).exists() and not ignored(path))
        done = subprocess.run(["git", "-C", ROOT, "ls-files"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=harness.DEADLINE_SECONDS, check=False)
        sources = [path for path in done.stdout.split() if path.endswith((".cc", ".h", "CMakeLists.txt", ".cmake"))]
        self.assertTrue(sources, done.stderr)
        self.assertEqual([path for path in sources if ignored(path)], [])


if __name__ == "__main__":
    harness.main()
