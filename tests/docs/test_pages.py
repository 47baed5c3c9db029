"""Checks the form of the pages: length, index, links, languages of blocks, YAML. Needs no exporter that runs."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402
import kubernetes  # noqa: E402
import pages  # noqa: E402
import prometheus  # noqa: E402
from pages import ROOT  # noqa: E402

MAX_LINES = {"README.md": 200}
MAX_LINES_OTHERWISE = 300
INDEX = "docs/README.md"
LANGUAGES = ("sh", "promql", "yaml", "text", "cpp", "cmake")  # tests/library compiles the last two
SECONDS = 60  # for one check of YAML
# Files that contain the description of the product, which is that of CMakeLists.txt. test_man.py has the manual page.
DESCRIBING = ("README.md", "Dockerfile", "deploy/cmake/package.cmake", "deploy/procevent_exporter.yml")
# Files that contain it up to the colon, where a line or a field is short.
DESCRIBING_SHORTLY = ("deploy/cmake/package.cmake", "deploy/compose/compose.yml",
                      "deploy/kubernetes/kustomization.yaml", "deploy/man/procevent_exporter.1.in",
                      "deploy/systemd/procevent_exporter.service")
# A page and a heading that other files name as `docs/alerts.md, "Title"`.
NAMED_PAGE = re.compile(r'\b((?:docs/[\w-]+|README|CONTRIBUTING|CHANGELOG|SECURITY)\.md)(?:, "([^"]+)")?')


# --- Checks of YAML. Each is check(directory, text). ---

def check_with(*command):
    def check(directory, text):
        file = os.path.join(directory, "block.yml")
        for named in set(re.findall(r"/etc/prometheus/[\w./-]+", text)):  # promtool requires the files
            open(os.path.join(directory, os.path.basename(named)), "w", encoding="ascii").close()
        with open(file, "w", encoding="utf-8") as block:
            block.write(kubernetes.without_discovery(text).replace("/etc/prometheus", directory))
        done = subprocess.run([word.format(file=file, exporter=harness.exporter_binary()) for word in command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stdout}\nof:\n{text}")

    return check


def check_inhibitions(_, text):
    """Inhibitions name existing alerts. Alertmanager is not run."""
    alerts = set(re.findall(r"(?m)^ +- alert: (\w+)$", pages.read("deploy/prometheus/alerts.rules.yml")))
    named = re.findall(r"Procevent\w+", text)
    if not named or not alerts.issuperset(named):
        raise AssertionError(f"unknown alerts {set(named) - alerts}")


OWN = check_with("{exporter}", "check-config", "--config.file={file}")
YAML = {
    **dict.fromkeys(("global", "scrape_configs", "rule_files"), check_with("promtool", "check", "config", "{file}")),
    "remote_write": check_with("promtool", "check", "config", "--agent", "{file}"),
    "groups": check_with("promtool", "check", "rules", "{file}"),
    "apiVersion": kubernetes.render,
    "inhibit_rules": check_inhibitions,
    **dict.fromkeys(("web", "source", "reader", "processes", "name_groups", "histograms", "log"), OWN),
}


def yaml_kind(text):
    """The first key of the text."""
    match = re.search(r"^([\w-]+):", text, re.MULTILINE)
    return match.group(1) if match else None


# --- Checks of a page. Each yields one line for each fault. ---

def faults_of_blocks(text):
    for block in pages.blocks(text):
        if block.language not in LANGUAGES:
            yield f"line {block.line}: unknown language {block.language!r}"
        elif block.language == "yaml" and yaml_kind(block.text) not in YAML:
            yield f"line {block.line}: unknown kind of YAML"


def faults_of_form(name, text):
    lines = text.splitlines()
    limit = MAX_LINES.get(name, MAX_LINES_OTHERWISE)
    if len(lines) > limit:
        yield f"{len(lines)} lines, more than {limit}"
    if not lines or not lines[0].startswith("# "):
        yield "the first line is not the title"


def faults_of_links(name, text):
    """Links to files that do not exist, and to headings that a page does not have."""
    for target in pages.links(text):
        path, _, anchor = target.partition("#")
        if re.match(r"https?://", target):
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in pages.anchors(file.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


def faults_of_names(text):
    """Pages and headings that a source file names and that do not exist."""
    for page, heading in NAMED_PAGE.findall(re.sub(r"\s+(?:[#/*]+ )?", " ", text)):
        if not (ROOT / page).is_file():
            yield f"{page}: no such page"
        elif heading and heading not in pages.headings(pages.read(page)):
            yield f"{page}: no heading {heading!r}"


def tracked_texts():
    """The text of each tracked file that may name a page."""
    done = subprocess.run(["git", "-C", ROOT, "grep", "-lIE", r"\b[A-Za-z-]+\.md\b"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SECONDS, check=True)
    return {name: pages.read(name) for name in done.stdout.split()
            if not name.startswith(("tests/docs/", "tests/fuzz/corpus/"))}


class Form(unittest.TestCase):
    def test_pages_have_the_form(self):
        self.assertGreater(len(pages.names()), 20)
        for name in pages.names():
            with self.subTest(name):
                self.assertEqual(list(faults_of_form(name, pages.read(name))), [])
                self.assertEqual(list(faults_of_blocks(pages.read(name))), [])

    def test_index_links_to_each_page(self):
        linked = set(pages.links(pages.read(INDEX)))
        there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
        self.assertEqual(there - linked, set())
        self.assertIn(INDEX, pages.links(pages.read("README.md")))

    def test_faults_of_form_are_found(self):
        for name, planted in (("language", "```json\n{}\n```"), ("no language", "```\n$ rm x\n```"),
                              ("YAML", "```yaml\nservices:\n  a: b\n```"), ("list", "```yaml\n- a\n```")):
            with self.subTest(name):
                self.assertEqual(len(list(faults_of_blocks(planted))), 1)
        self.assertEqual(len(list(faults_of_form("README.md", "# a\n" * 201))), 1)
        self.assertEqual(len(list(faults_of_form("docs/x.md", "a\n" * 301))), 2)

    def test_parser(self):
        self.assertEqual(pages.commands("a 'b # c' d#e  # f\n# g\n\nh \\\n  i\n"), ["a 'b # c' d#e", "h i"])
        self.assertEqual(pages.expressions("# a\nb{c=\"#\"}  # d\n  e\n/ (f\n  + g)\nh\n"),
                         ['b{c="#"}', "e / (f + g)", "h"])
        self.assertEqual(pages.inline_commands("`grep a\nb` `grep`\n| `grep c` |\n```sh\n`grep d`\n```\n"),
                         ["grep a b", "grep c"])
        self.assertEqual(pages.anchors("# A `b_c`, d\n## A\n## A\n```sh\n# not a heading\n```\n"),
                         {"a-b_c-d", "a", "a-1"})
        self.assertEqual(pages.links("[a](b.md#c) ![d](e.png) `[f](g)`\n```text\n[h](i)\n```\n"), ["b.md#c", "e.png"])
        with self.assertRaises(ValueError):
            pages.blocks("```sh\na\n")


class Links(unittest.TestCase):
    def test_links_resolve(self):
        for name in pages.names():
            with self.subTest(name):
                self.assertEqual(list(faults_of_links(name, pages.read(name))), [])

    def test_named_pages_exist(self):
        texts = tracked_texts()
        self.assertGreater(len(texts), 40)
        for name, text in texts.items():
            with self.subTest(name):
                self.assertEqual(list(faults_of_names(text)), [])

    def test_broken_links_are_found(self):
        for planted in ("[a](no.md)", "[a](#no-heading)", "[a](README.md#no-heading)", "![a](deploy/no.png)"):
            with self.subTest(planted):
                self.assertEqual(len(list(faults_of_links("README.md", planted))), 1)
        self.assertEqual(list(faults_of_links("README.md", "[a](https://example.org/x#y) [b](README.md)")), [])
        for planted in ("see docs/no-page.md", '// CONTRIBUTING.md, "No\n// heading"'):
            with self.subTest(planted):
                self.assertEqual(len(list(faults_of_names(planted))), 1)
        self.assertEqual(list(faults_of_names('# CONTRIBUTING.md,\n# "Build and test"')), [])


def joined(text):
    """The text in one line, without comment marks and backslashes at line ends."""
    return " ".join(re.sub(r"(?m)^# |\\$", "", text).split())


class Description(unittest.TestCase):
    """The README, the command and the packages begin with one sentence."""

    def setUp(self):
        (self.sentence,) = re.findall(r'DESCRIPTION "([^"]+)"', joined(pages.read("CMakeLists.txt")))

    def test_files_contain_the_sentence(self):
        self.assertRegex(self.sentence, r"^Prometheus exporter for Linux process events: .*\.$")
        for name in DESCRIBING:
            with self.subTest(name):
                self.assertIn(self.sentence, joined(pages.read(name)))
        for name in DESCRIBING_SHORTLY:
            with self.subTest(name):
                self.assertIn(self.sentence.partition(":")[0], joined(pages.read(name)))
        self.assertEqual(joined(pages.read("README.md")).split(". ")[0].split("_exporter ", 1)[1] + ".", self.sentence)

    def test_help_begins_with_the_sentence(self):
        done = subprocess.run([harness.exporter_binary(), "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS, check=True)
        self.assertTrue(joined(done.stdout).startswith(self.sentence), done.stdout)


class Yaml(unittest.TestCase):
    def test_blocks_are_valid(self):
        harness.require(prometheus.skip_reason())
        for name, block in pages.blocks_of("yaml"):
            with (self.subTest(page=name, line=block.line),
                  tempfile.TemporaryDirectory(prefix="procevent-docs-") as directory):
                YAML[yaml_kind(block.text)](directory, block.text)


if __name__ == "__main__":
    harness.main()
