#!/usr/bin/env python3
"""Runs the pod of deploy/kubernetes with runc: the same user, capabilities, namespaces, mounts, limits and seccomp
profile, but a replay as the source of events. Kubernetes' runtimes make a similar bundle of a pod."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import manifests
from manifests import BASE, ROOT, at

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402

SECONDS = 60
DEMO = "/usr/share/procevent_exporter/demo.pcap"
NET_ADMIN = 12
# Paths that containerd and Docker hide or make read-only.
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
          "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def skip_reason():
    if os.geteuid() != 0:
        return "not root"
    return manifests.skip_reason() or (None if shutil.which("runc") else "not installed: runc")


def pod():
    return at(manifests.objects(BASE)["DaemonSet"], "spec/template/spec")


def root_file_system(directory):
    """Creates the exporter with its libraries, and the files of the image."""
    def put(source, path):
        target = directory / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    linked = subprocess.run(["ldd", harness.exporter_binary()], stdout=subprocess.PIPE, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", linked):
        put(library, library)
    put(harness.exporter_binary(), "/usr/bin/procevent_exporter")
    put(ROOT / "deploy/demo/demo.pcap", DEMO)
    for folder in ("/proc", "/sys", "/dev", at(pod(), "containers/0/volumeMounts/0/mountPath")):
        (directory / folder.lstrip("/")).mkdir(parents=True)


def bundle(directory, flags, seccomp):
    """The OCI configuration of the pod's container."""
    container = at(pod(), "containers/0")
    security = container["securityContext"]
    max_bytes = manifests.mebibytes(at(container, "resources/limits/memory")) << 20
    volume = at(container, "volumeMounts/0")
    capabilities = [f"CAP_{name}" for name in security["capabilities"]["add"]]
    shared = {kind for kind, is_shared in (("pid", pod()["hostPID"]), ("network", pod()["hostNetwork"])) if is_shared}
    root_file_system(directory / "rootfs")
    (directory / volume["name"]).mkdir()
    shutil.copy(BASE / "procevent_exporter.yml", directory / volume["name"])
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": security["runAsUser"], "gid": security["runAsGroup"]},
            "args": ["/usr/bin/procevent_exporter", *container["args"], *flags], "cwd": "/", "env": ["PATH=/usr/bin"],
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
            "noNewPrivileges": not security["allowPrivilegeEscalation"]},
        "root": {"path": "rootfs", "readonly": security["readOnlyRootFilesystem"]},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/sys", "type": "bind", "source": "/sys", "options": ["rbind", "ro"]},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                   {"destination": volume["mountPath"], "type": "bind", "source": str(directory / volume["name"]),
                    "options": ["bind", "ro" if volume["readOnly"] else "rw"]}],
        "linux": {"namespaces": [{"type": kind} for kind in ("mount", "ipc", "uts", "pid", "network")
                                 if kind not in shared],
                  "maskedPaths": MASKED, "readonlyPaths": READ_ONLY,
                  "resources": {"memory": {"limit": max_bytes}},
                  **({"seccomp": seccomp} if seccomp else {})}}


class Container:
    """A container run by runc. stop() sends SIGTERM as the kubelet does."""

    def __init__(self, directory, flags, seccomp):
        self.name = directory.name
        self.port = harness.free_port()
        self._state = directory / "state"
        config = bundle(directory, [*flags, f"--web.listen-address=127.0.0.1:{self.port}"], seccomp)
        (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
        self._log = open(directory / "log", "w+b")
        self._process = subprocess.Popen(
            ["runc", "--root", str(self._state), "run", "--bundle", str(directory), self.name],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._runc("kill", self.name, "KILL")
            self._process.wait(SECONDS)
        self._runc("delete", "--force", self.name)
        self._log.close()

    def _runc(self, *command):
        return subprocess.run(["runc", "--root", str(self._state), *command], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=SECONDS, check=False).stdout

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def pid(self):
        return json.loads(self._runc("state", self.name))["pid"]

    def get(self, path):
        """The status, or None while the connection is refused."""
        if self._process.poll() is not None:
            raise AssertionError(f"the container ended with {self._process.returncode}:\n{self.log()}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        with contextlib.closing(connection), contextlib.suppress(ConnectionRefusedError):
            connection.request("GET", path)
            return connection.getresponse().status
        return None

    def stop(self):
        os.kill(self.pid(), signal.SIGTERM)
        return self._process.wait(SECONDS)


class Runtime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(skip_reason())

    def run_pod(self, seccomp):
        with tempfile.TemporaryDirectory(prefix="procevent-runc-") as directory:
            flags = (f"--source.replay={DEMO}", "--source.replay-loop=true", "--source.replay-speed=20")
            with Container(pathlib.Path(directory), flags, seccomp) as container:
                for probe in ("readinessProbe", "livenessProbe"):
                    path = at(pod(), f"containers/0/{probe}/httpGet/path")
                    harness.wait_for(path, lambda: container.get(path) == 200)
                self.assertEqual(container.get("/metrics"), 200)
                self.check_process(container.pid(), "2" if seccomp else "0")
                self.assertEqual(container.stop(), 0, container.log())
                self.assertNotIn("level=warning", container.log())

    def check_process(self, pid, seccomp):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = {key: value.strip() for key, value in (line.split(":", 1) for line in file)}
        self.assertEqual((status["Uid"].split()[0], status["NoNewPrivs"], status["Seccomp"]), ("0", "1", seccomp))
        self.assertEqual(int(status["CapBnd"], 16), 1 << NET_ADMIN)
        for kind in ("net", "pid", "user"):
            self.assertEqual(os.readlink(f"/proc/{pid}/ns/{kind}"), os.readlink(f"/proc/self/ns/{kind}"))
        self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink("/proc/self/ns/mnt"))

    def test_pod_runs_without_a_profile(self):
        self.run_pod(None)

    def test_incomplete_profile_is_enforced(self):
        with open(BASE / "seccomp/procevent_exporter.json", encoding="utf-8") as file:
            profile = json.load(file)
        profile["syscalls"][0]["names"].remove("listen")
        with self.assertRaisesRegex(AssertionError, r"ended with 1:\n(.*\n)*.*cannot listen on"):
            self.run_pod(profile)

    def test_pod_runs_under_its_profile(self):
        with open(BASE / "seccomp/procevent_exporter.json", encoding="utf-8") as file:
            self.run_pod(json.load(file))


if __name__ == "__main__":
    harness.main()
