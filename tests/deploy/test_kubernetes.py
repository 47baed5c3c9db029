#!/usr/bin/env python3
"""Tests deploy/kubernetes without a cluster: required settings, and consistency with the exporter."""

import concurrent.futures
import copy
import os
import re
import subprocess
import sys
import unittest

import manifests
from manifests import BASE, ROOT, at

sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "docs")]

import harness  # noqa: E402
import kubernetes  # noqa: E402
import pages  # noqa: E402
import prometheus  # noqa: E402

NAME = "procevent-exporter"
POD = "spec/template/spec"
CONTAINER = f"{POD}/containers/0"
RULES = ("recording", "fleet", "alerts")
KEYS = {".": {"Namespace", "ServiceAccount", "ResourceQuota", "DaemonSet"}, "podmonitor": {"PodMonitor"},
        "prometheusrule": {f"PrometheusRule procevent-{name}" for name in RULES}, "seccomp": set()}
PRIORITY = "system-cluster-critical"
CONFIGURATION = BASE / "procevent_exporter.yml"
PROFILE = BASE / "seccomp" / "procevent_exporter.json"
REPLAY = ("--source.replay=" + str(ROOT / "deploy/demo/demo.pcap"), "--source.replay-loop=true",
          "--source.replay-speed=20")
SECONDS = 30


def absent(value):
    return value is None


def from_mebibytes(least):
    return lambda value: value is not None and manifests.mebibytes(value) >= least


# Kind, path, required value (or predicate), and values that are faults. None: absent.
INVARIANTS = [
    # The kernel sends events to the host's namespaces only.
    ("DaemonSet", f"{POD}/hostPID", True, [None, False]),
    ("DaemonSet", f"{POD}/hostNetwork", True, [None, False]),
    ("DaemonSet", f"{POD}/hostUsers", lambda value: value in (None, True), [False]),
    ("DaemonSet", f"{POD}/hostIPC", absent, [True]),
    ("DaemonSet", f"{POD}/shareProcessNamespace", absent, [True]),
    ("DaemonSet", f"{POD}/dnsPolicy", "Default", [None, "ClusterFirst"]),
    # One capability, which only uid 0 can get, and no way to gain more.
    ("DaemonSet", f"{CONTAINER}/securityContext/runAsUser", 0, [None, 65534]),
    ("DaemonSet", f"{CONTAINER}/securityContext/capabilities/drop", ["ALL"], [None, [], ["NET_RAW"]]),
    ("DaemonSet", f"{CONTAINER}/securityContext/capabilities/add", ["NET_ADMIN"],
     [None, [], ["NET_ADMIN", "SYS_ADMIN"], ["SYS_PTRACE"], ["ALL"]]),
    ("DaemonSet", f"{CONTAINER}/securityContext/privileged", False, [True]),
    ("DaemonSet", f"{CONTAINER}/securityContext/allowPrivilegeEscalation", False, [None, True]),
    ("DaemonSet", f"{CONTAINER}/securityContext/readOnlyRootFilesystem", True, [None, False]),
    ("DaemonSet", f"{CONTAINER}/securityContext/seccompProfile", absent, [{"type": "Unconfined"}]),
    ("DaemonSet", f"{POD}/securityContext", {"seccompProfile": {"type": "RuntimeDefault"}},
     [None, {}, {"seccompProfile": {"type": "Unconfined"}}]),
    # No access to files of the node or to Kubernetes.
    ("DaemonSet", f"{POD}/volumes", [{"name": "config", "configMap": {"name": NAME}}],
     [None, [{"name": "config", "hostPath": {"path": "/etc"}}]]),
    ("DaemonSet", f"{CONTAINER}/volumeMounts",
     [{"name": "config", "mountPath": "/etc/procevent_exporter", "readOnly": True}], [None, []]),
    ("DaemonSet", f"{POD}/containers/1", absent, [{"name": "another"}]),
    ("DaemonSet", f"{POD}/initContainers", absent, [[{"name": "another"}]]),
    ("DaemonSet", f"{CONTAINER}/command", absent, [["sh"]]),
    ("DaemonSet", f"{CONTAINER}/env", absent, [[{"name": "PROCEVENT_LOG_LEVEL", "value": "debug"}]]),
    ("DaemonSet", f"{POD}/serviceAccountName", NAME, [None, "default"]),
    ("DaemonSet", f"{POD}/automountServiceAccountToken", False, [None, True]),
    ("DaemonSet", f"{POD}/enableServiceLinks", False, [None, True]),
    ("ServiceAccount", "automountServiceAccountToken", False, [None, True]),
    ("Namespace", "metadata/labels/pod-security.kubernetes.io~1enforce", "privileged", [None, "baseline"]),
    # On every node, one pod at a time for the port, and a short stop.
    ("DaemonSet", f"{POD}/tolerations", [{"operator": "Exists"}], [None, []]),
    ("DaemonSet", f"{POD}/nodeSelector", {"kubernetes.io/os": "linux"}, [None, {"kubernetes.io/os": "windows"}]),
    ("DaemonSet", "spec/updateStrategy",
     {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%", "maxSurge": 0}},
     [None, {"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}]),
    ("DaemonSet", f"{POD}/terminationGracePeriodSeconds", lambda value: value is not None and 1 <= value <= 10,
     [None, 0, 30]),
    # A CPU limit would cause losses. An OOM kill would leave the kernel's listener count too high.
    ("DaemonSet", f"{CONTAINER}/resources/limits/cpu", absent, ["1"]),
    ("DaemonSet", f"{CONTAINER}/resources/limits/memory", from_mebibytes(15 + 64), [None, "64Mi"]),
    ("DaemonSet", f"{CONTAINER}/resources/requests/cpu", "50m", [None]),
    ("DaemonSet", f"{CONTAINER}/resources/requests/memory", from_mebibytes(16), [None, "8Mi"]),
    # Probes that `web.allow` permits.
    ("DaemonSet", f"{CONTAINER}/livenessProbe/httpGet", {"host": "127.0.0.1", "port": "metrics", "path": "/-/healthy"},
     [None, {"port": "metrics", "path": "/-/ready"}]),
    ("DaemonSet", f"{CONTAINER}/readinessProbe/httpGet", {"host": "127.0.0.1", "port": "metrics", "path": "/-/ready"},
     [None, {"port": "metrics", "path": "/-/healthy"}]),
    ("Configuration", "web/allow", ["127.0.0.1"], [None, "all", ["10.0.0.0/8"], ["127.0.0.1", "10.0.0.0/8"]]),
    # Selectors match the pods, also after kustomize adds its labels.
    ("DaemonSet", "spec/selector", {"matchLabels": {"app.kubernetes.io/name": NAME}}, [None, {"matchLabels": {}}]),
    ("DaemonSet", "spec/template/metadata/labels", {"app.kubernetes.io/name": NAME}, [None, {}]),
    ("PodMonitor", "metadata/namespace", "procevent", [None, "default"]),  # kustomize does not set it
    ("PodMonitor", "spec/selector", {"matchLabels": {"app.kubernetes.io/name": NAME}}, [None, {"matchLabels": {}}]),
    ("PodMonitor", "spec/podMetricsEndpoints/0/relabelings",
     [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "instance"},
      {"targetLabel": "job", "replacement": "procevent"}, {"action": "labeldrop", "regex": "pod"}], [None, []]),
    # Not evicted in a storm, in clusters that limit the system classes, too.
    ("DaemonSet", f"{POD}/priorityClassName", PRIORITY, [None, "system-node-critical"]),
    ("ResourceQuota", "spec/hard", {"pods": "1G"}, [None, {"pods": "1"}, {"pods": "1G", "memory": "1Gi"}]),
    ("ResourceQuota", "spec/scopeSelector/matchExpressions",
     [{"scopeName": "PriorityClass", "operator": "In", "values": [PRIORITY]}], [None, []]),
]


def all_objects():
    """All objects by kind, and the configuration."""
    found = {"Configuration": manifests.read(CONFIGURATION)}
    for folder in manifests.folders().values():
        found |= manifests.objects(folder)
    return found


def faults(found):
    """One line for each invariant that does not hold."""
    lines = []
    for kind, path, wanted, _ in INVARIANTS:
        value = at(found[kind], path)
        if not (wanted(value) if callable(wanted) else value == wanted):
            lines.append(f"{kind} {path}: {value!r}")
    return lines


class ManifestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(manifests.skip_reason())


class Files(ManifestTest):
    def test_yaml_is_read_strictly(self):
        for name, text in (("repeated key", "a: 1\nb:\n  c: 1\n  c: 2\n"), ("number key", "1: a\n"),
                           ("boolean key", "on: a\n"), ("alias", "a: &x 1\nb: *x\n"),
                           ("two documents", "a: 1\n---\nb: 1\n"), ("invalid YAML", "a: [\n")):
            with self.subTest(name), self.assertRaises((ValueError, manifests.yaml.YAMLError)):
                manifests.parse(text)
        self.assertEqual(manifests.parse("a: {b: [1]}\n"), {"a": {"b": [1]}})

    def test_files_are_in_a_kustomization(self):
        named = set()
        for name, folder in manifests.folders().items():
            self.assertEqual(set(manifests.objects(folder)), KEYS[name])
            files = [manifests.KUSTOMIZATION, *manifests.read(folder / manifests.KUSTOMIZATION).get("resources", [])]
            named |= {f"{name}/{file}" for file in files}
        there = {f"{path.parent.relative_to(BASE)}/{path.name}" for path in BASE.rglob("*") if path.is_file()}
        self.assertEqual(there, named | {f"./{CONFIGURATION.name}", f"seccomp/{PROFILE.name}"})

    def test_kustomizations(self):
        base, monitor, rules, seccomp = (manifests.read(folder / manifests.KUSTOMIZATION)
                                         for folder in manifests.folders().values())
        self.assertEqual(base["namespace"], all_objects()["Namespace"]["metadata"]["name"])
        self.assertEqual(base["configMapGenerator"], [{"name": NAME, "files": ["procevent_exporter.yml"]}])
        self.assertEqual(base["labels"][0]["pairs"]["app.kubernetes.io/name"], NAME)
        for component in (monitor, rules, seccomp):
            self.assertEqual(component["kind"], "Component")
        for component in (monitor, seccomp):
            self.assertEqual(component["patches"][0]["target"], {"kind": "DaemonSet", "name": NAME})
        self.assertEqual(manifests.parse(seccomp["patches"][0]["patch"])[0]["value"],
                         {"type": "Localhost", "localhostProfile": PROFILE.name})


class Invariants(ManifestTest):
    def test_manifests_have_no_fault(self):
        self.assertEqual(faults(all_objects()), [])

    def test_planted_faults_are_found(self):
        for kind, path, _, wrongs in INVARIANTS:
            self.assertTrue(wrongs, path)
            for wrong in wrongs:
                with self.subTest(f"{kind} {path}", wrong=wrong):
                    found = copy.deepcopy(all_objects())
                    manifests.put(found[kind], path, wrong)
                    self.assertIn(f"{kind} {path}: {wrong!r}", faults(found))


class Consistency(ManifestTest):
    """The manifests agree with the exporter: configuration, port, paths, version and memory."""

    def setUp(self):
        self.daemon_set = all_objects()["DaemonSet"]
        self.container = at(self.daemon_set, CONTAINER)
        self.port = at(self.container, "ports/0/containerPort")

    def test_configuration_is_valid(self):
        done = subprocess.run([harness.exporter_binary(), "check-config",
                               f"--config.file={CONFIGURATION}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^  allow: \[127\.0\.0\.1\]")
        self.assertRegex(done.stdout, rf"0\.0\.0\.0:{self.port}\b")  # the default, not in the file

    def test_configuration_is_mounted_at_its_path(self):
        mounted = at(self.container, "volumeMounts/0/mountPath")
        self.assertEqual(self.container["args"], [f"--config.file={mounted}/procevent_exporter.yml"])

    def test_port_and_its_name_agree(self):
        found = all_objects()
        annotations = at(self.daemon_set, "spec/template/metadata/annotations")
        self.assertEqual(annotations["prometheus.io/port"], str(self.port))
        for name in (at(found["PodMonitor"], "spec/podMetricsEndpoints/0/port"),
                     at(self.container, "livenessProbe/httpGet/port"),
                     at(self.container, "readinessProbe/httpGet/port")):
            self.assertEqual(name, at(self.container, "ports/0/name"))

    def test_image_tag_is_the_version(self):
        version = re.search(r"project\(procevent_exporter\s+VERSION ([\d.]+)",
                            (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
        self.assertEqual(self.container["image"], f"procevent_exporter:{version}")

    def test_paths_answer_and_memory_is_bounded(self):
        """Runs the exporter like the pod, but with a replay, and scrapes with more clients than are served at once."""
        found = all_objects()
        config = CONFIGURATION.read_text(encoding="utf-8")
        with harness.Exporter(*REPLAY, config=config) as exporter:
            exporter.wait_ready()
            for path in (at(self.daemon_set, "spec/template/metadata/annotations/prometheus.io~1path"),
                         at(found["PodMonitor"], "spec/podMetricsEndpoints/0/path"),
                         at(self.container, "livenessProbe/httpGet/path"),
                         at(self.container, "readinessProbe/httpGet/path")):
                self.assertEqual(exporter.get(path).status, 200, path)
            with concurrent.futures.ThreadPoolExecutor(40) as clients:
                statuses = list(clients.map(lambda _: exporter.get("/metrics").status, range(400)))
            self.assertEqual(set(statuses), {200})
            with open(f"/proc/{exporter.pid()}/status", encoding="ascii") as file:
                status = dict(line.split(":", 1) for line in file)
        peak = int(status["VmHWM"].split()[0]) / 1024
        print(f"peak {peak:.1f} MiB resident, {status['Threads'].strip()} threads")
        self.assertLess(peak, manifests.mebibytes(at(self.container, "resources/requests/memory")))


class TargetLabels(ManifestTest):
    """The labels of a target in a real Prometheus, with the meta labels that Kubernetes discovery would set."""

    # Relabelings that the Prometheus operator adds before those of a PodMonitor.
    OPERATOR_RULES = [{"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
                 {"source_labels": ["__meta_kubernetes_pod_container_name"], "target_label": "container"},
                 {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
                 {"target_label": "job", "replacement": "procevent/procevent-exporter"},
                 {"target_label": "endpoint", "replacement": "metrics"}]
    PROMETHEUS_KEYS = {"sourceLabels": "source_labels", "targetLabel": "target_label"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(prometheus.skip_reason())

    def labels(self, pod, relabelings):
        """The labels of the targets of a pod."""
        scrape = at(all_objects()["DaemonSet"], "spec/template/metadata/annotations/prometheus.io~1scrape")
        discovered = {"namespace": "procevent", "pod_name": pod, "pod_container_name": NAME, "pod_node_name": "node1",
                      "pod_annotation_prometheus_io_scrape": scrape}
        meta = [{"target_label": f"__meta_kubernetes_{name}", "replacement": value}
                for name, value in discovered.items()]
        with prometheus.Prometheus(harness.free_port(), relabel_configs=[*meta, *relabelings]) as server:
            found = harness.wait_for("the targets", lambda: server.try_query(server.targets))
            return [target["labels"] for target in found]

    def test_pod_monitor_keeps_labels_of_a_replaced_pod(self):
        ours = [{self.PROMETHEUS_KEYS.get(key, key): value for key, value in rule.items()}
                for rule in at(all_objects()["PodMonitor"], "spec/podMetricsEndpoints/0/relabelings")]
        for pod in ("procevent-exporter-x7k2p", "procevent-exporter-q9w4z"):
            self.assertEqual(self.labels(pod, self.OPERATOR_RULES + ours), [
                {"instance": "node1", "job": "procevent", "namespace": "procevent", "container": NAME,
                 "endpoint": "metrics"}])

    def test_scrape_job_for_annotations(self):
        text = pages.read("docs/kubernetes.md")
        (block,) = [block.text for block in pages.blocks(text) if kubernetes.DISCOVERY in block.text]
        (job,) = manifests.parse(block)["scrape_configs"]
        self.assertEqual(job["kubernetes_sd_configs"], [
            {"role": "pod", "namespaces": {"names": [all_objects()["Namespace"]["metadata"]["name"]]}}])
        self.assertEqual(job["job_name"], "procevent")
        self.assertEqual(self.labels("procevent-exporter-x7k2p", job["relabel_configs"]),
                         [{"instance": "node1", "job": "procevent"}])


class PrometheusRules(ManifestTest):
    """The component prometheusrule holds the rule files of deploy/prometheus, each as the spec of an object."""

    HEADER = """\
# Generated from deploy/prometheus/{name}.rules.yml. Do not edit: change that file, then run
# tests/deploy/test_kubernetes.py with PROCEVENT_REFRESH_GOLDEN=1.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: procevent-{name}
  namespace: procevent
  labels:
    app.kubernetes.io/name: procevent-exporter
spec:
"""

    def test_objects_are_up_to_date(self):
        for name in RULES:
            rules = (ROOT / "deploy" / "prometheus" / f"{name}.rules.yml").read_text(encoding="utf-8")
            wanted = self.HEADER.format(name=name) + re.sub(r"(?m)^(?=.)", "  ", rules)
            file = BASE / "prometheusrule" / f"{name}.yaml"
            if os.environ.get("PROCEVENT_REFRESH_GOLDEN"):
                file.write_text(wanted, encoding="utf-8")
            with self.subTest(name):
                self.assertEqual(file.read_text(encoding="utf-8"), wanted,
                                 "stale: run this test with PROCEVENT_REFRESH_GOLDEN=1")
                self.assertEqual(manifests.read(file)["spec"], manifests.parse(rules))

    def test_all_rule_files_have_an_object(self):
        files = (ROOT / "deploy" / "prometheus").glob("*.rules.yml")
        self.assertEqual({file.name.removesuffix(".rules.yml") for file in files}, set(RULES))


if __name__ == "__main__":
    harness.main()
