#!/usr/bin/env python3
"""Tests deploy/kubernetes as rendered by kustomize, and against the types of Kubernetes' API."""

import copy
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import manifests
from manifests import BASE, ROOT, at

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, for which the client library is installed
TYPES = pathlib.Path(__file__).resolve().parent / "kubernetes_types.py"
SECONDS = 60
ADD_ON = ("PodMonitor", "PrometheusRule")  # kinds of the Prometheus operator, which the library does not have
POD = "spec/template/spec"
# Kind, path, and an invalid value for it. None deletes the value.
FAULTS = [
    ("DaemonSet", f"{POD}/hostPid", True), ("DaemonSet", f"{POD}/hostPID", "yes"), ("DaemonSet", "spec/selector", None),
    ("DaemonSet", f"{POD}/containers/0/securityContext/capabilities/add", "NET_ADMIN"),
    ("DaemonSet", f"{POD}/containers/0/readinessProbe/httpGet/ports", 1),
    ("DaemonSet", f"{POD}/containers/0/resources/limit", {"memory": "1Mi"}),
    ("DaemonSet", f"{POD}/containers/0/name", None), ("DaemonSet", "metadata/annotation", {"a": "b"}),
    ("ServiceAccount", "automountServiceAccountToken", "no"), ("ServiceAccount", "spec", {}),
    ("Namespace", "metadata/labels", ["a"]), ("ResourceQuota", "spec/scopeSelectors", []),
    ("ResourceQuota", "spec/scopeSelector/matchExpressions/0/scopeName", None),
    ("DaemonSet", f"{POD}/priorityClassName", 1), ("DaemonSet", f"{POD}/tolerations/0/operator", True),
    ("DaemonSet", f"{POD}/terminationGracePeriodSeconds", "5"), ("DaemonSet", f"{POD}/hostNetwork", 1),
]
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: elsewhere
resources: [kubernetes]
components: [kubernetes/podmonitor, kubernetes/prometheusrule, kubernetes/seccomp]
images: [{name: procevent_exporter, newName: registry.example/a/b, newTag: "1"}]
configMapGenerator:
  - {name: procevent-exporter, behavior: merge, files: [procevent_exporter.yml]}
"""


def run(*command, where, text=None):
    done = subprocess.run(command, cwd=where, input=text, stdin=subprocess.DEVNULL if text is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}:\n{done.stdout}")
    return done.stdout


def types_skip_reason():
    try:
        run(PYTHON, "-B", "-c", "import kubernetes.client", where="/")
    except (AssertionError, FileNotFoundError):
        return f"not installed: python3-kubernetes, for {PYTHON}"
    return None


def source_objects():
    return {kind: value for folder in manifests.folders().values() for kind, value in manifests.objects(folder).items()}


def rendered(folder):
    """The rendered objects by key."""
    texts = run("kubectl", "kustomize", str(folder), where=folder).split("\n---\n")
    return {manifests.key(value): value for value in map(manifests.parse, texts)}


def overlay(directory):
    shutil.copytree(BASE, directory / "kubernetes")
    (directory / "kustomization.yaml").write_text(OVERLAY, encoding="utf-8")
    (directory / "procevent_exporter.yml").write_text("web: {allow: 127.0.0.1}\n", encoding="utf-8")
    return rendered(directory)


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(manifests.skip_reason() or (None if shutil.which("kubectl") else "not installed: kubectl"))
        cls.temporary = tempfile.TemporaryDirectory(prefix="procevent-schema-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.directory = pathlib.Path(cls.temporary.name)

    def test_rendered_objects_are_consistent(self):
        for name, found, namespace in (("base", rendered(BASE), "procevent"),
                                       ("overlay", overlay(self.directory / "overlay"), "elsewhere")):
            with self.subTest(name):
                self.check_rendered(found, namespace)
        self.assertEqual(found["ConfigMap"]["data"], {"procevent_exporter.yml": "web: {allow: 127.0.0.1}\n"})
        self.assertEqual(at(found["DaemonSet"], f"{POD}/containers/0/image"), "registry.example/a/b:1")
        self.assertEqual(at(found["DaemonSet"], f"{POD}/containers/0/securityContext/seccompProfile"),
                         {"type": "Localhost", "localhostProfile": "procevent_exporter.json"})
        self.assertIsNone(at(found["DaemonSet"], "spec/template/metadata/annotations"))
        self.assertIn("PodMonitor", found)
        rules = [key for key in source_objects() if key.startswith("PrometheusRule ")]
        self.assertEqual(len(rules), 3)
        for key in rules:
            self.assertEqual(found[key]["spec"], source_objects()[key]["spec"])

    def check_rendered(self, found, namespace):
        """References are consistent: the account, the configuration with its hash, the selectors."""
        daemon_set = found["DaemonSet"]
        for value in found.values():
            self.assertEqual(value["metadata"]["name" if value["kind"] == "Namespace" else "namespace"], namespace)
            self.assertEqual(value["metadata"]["labels"]["app.kubernetes.io/name"], "procevent-exporter")
        self.assertEqual(at(daemon_set, f"{POD}/serviceAccountName"), found["ServiceAccount"]["metadata"]["name"])
        self.assertEqual(at(daemon_set, f"{POD}/volumes/0/configMap/name"), found["ConfigMap"]["metadata"]["name"])
        self.assertRegex(found["ConfigMap"]["metadata"]["name"], "^procevent-exporter-.+")
        labels = at(daemon_set, "spec/template/metadata/labels").items()
        for kind in {"DaemonSet", "PodMonitor"} & set(found):
            self.assertLessEqual(at(found[kind], "spec/selector/matchLabels").items(), labels)

    def test_types_accept_objects_and_reject_faults(self):
        """One run checks the valid objects and one faulty variant for each fault."""
        harness.require(types_skip_reason())
        cases = {f"written {kind}": value for kind, value in source_objects().items()}
        cases |= {f"base {kind}": value for kind, value in rendered(BASE).items()}
        cases |= {f"overlay {kind}": value for kind, value in overlay(self.directory / "checked").items()}
        for kind, path, wrong in FAULTS:
            name = f"fault: {kind} {path}: {wrong!r}"
            cases[name] = copy.deepcopy(cases[f"written {kind}"])
            manifests.put(cases[name], path, wrong)
        cases = {name: value for name, value in cases.items() if value["kind"] not in ADD_ON}
        found = json.loads(run(PYTHON, "-B", str(TYPES), where=self.directory, text=json.dumps(cases)))
        self.assertEqual(set(found), set(cases))
        for name, lines in found.items():
            with self.subTest(name):
                self.assertEqual(len(lines), 1 if name.startswith("fault: ") else 0, lines)


if __name__ == "__main__":
    harness.main()
