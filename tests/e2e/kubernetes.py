"""The commands of docs/kubernetes.md, which need a cluster, and its overlays, which kustomize renders."""

import os
import re
import shutil
import subprocess

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MANIFESTS = "deploy/kubernetes"
SECONDS = 60

IMAGE_COMMANDS = ("docker build -t registry.example/procevent_exporter:0.2.0 .",
                  "docker push registry.example/procevent_exporter:0.2.0")
SET_IMAGE = "kustomize edit set image procevent_exporter=registry.example/procevent_exporter:0.2.0"
COMMANDS = (
    "kubectl apply -k .",
    "kubectl -n procevent delete networkpolicy procevent-exporter",
    "kubectl -n procevent logs --tail=-1 -l app.kubernetes.io/name=procevent-exporter | grep not_allowed",
    "kubectl -n procevent rollout status daemonset/procevent-exporter --timeout=10m",
    "kubectl -n procevent exec daemonset/procevent-exporter -- procevent_exporter doctor"
    " --web.listen-address=127.0.0.1:13677",
)

DISCOVERY = """\
    kubernetes_sd_configs:
      - role: pod
        namespaces:
          names: [procevent]
"""


def without_discovery(text):
    """Removes Kubernetes discovery, which Debian's Prometheus lacks. tests/deploy/test_kubernetes.py tests it."""
    return text.replace(DISCOVERY, "")


# A text of an overlay, and one that it causes in the rendered objects.
RENDERED = {
    "/podmonitor": "kind: PodMonitor",
    "/prometheusrule": "name: procevent-alerts",
    "/seccomp": "localhostProfile: procevent_exporter.json",
    "newName: registry.example/procevent_exporter": "image: registry.example/procevent_exporter:0.2.0",
    "value: monitoring": "priorityClassName: monitoring",
    "value: prometheus": "release: prometheus",
}


def render(directory, text):
    """Renders an overlay next to a checkout and a configuration file."""
    base = os.path.join(directory, "procevent_exporter", MANIFESTS)
    shutil.copytree(os.path.join(ROOT, MANIFESTS), base)
    shutil.copy(os.path.join(base, "procevent_exporter.yml"), directory)
    with open(os.path.join(directory, "kustomization.yaml"), "w", encoding="utf-8") as file:
        file.write(text)
    for path in re.findall(r"^ +- (\w+/\S+)", text, re.MULTILINE):
        if not os.path.isfile(os.path.join(directory, path, "kustomization.yaml")):
            raise AssertionError(f"no kustomization.yaml in {path}")
    if not shutil.which("kubectl"):
        print("kubectl is not installed: the overlay was not rendered")
        return
    done = subprocess.run(["kubectl", "kustomize", directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
    for cause, line in {"resources:": "kind: DaemonSet", **RENDERED}.items():
        if done.returncode != 0 or (cause in text) > (line in done.stdout):
            raise AssertionError(f"kubectl kustomize: exit {done.returncode}, missing {line!r}:\n{done.stdout}")
    if "$patch: delete" in text and "name: procevent-fleet" in done.stdout:
        raise AssertionError(f"kubectl kustomize: procevent-fleet was not deleted:\n{done.stdout}")
    for rendered in done.stdout.split("\n---\n"):
        if not re.search(r"^(  namespace: procevent|kind: Namespace)$", rendered, re.MULTILINE):
            raise AssertionError(f"kubectl kustomize: wrong namespace in:\n{rendered}")
