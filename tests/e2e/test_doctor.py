"""`doctor` on this machine and with deliberate faults: the right check fails and names the remedy."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

import connector
import harness

CHECKS = ["kernel", "capability", "namespaces", "buffer", "proc", "audit", "subscription", "start", "threads",
          "open files", "address"]
PIDS = ("unshare", "--pid", "--fork", "--kill-child")
NEW_PROC = ("--mount-proc",)
USER = ("unshare", "--user")
USER_AS_ROOT = ("unshare", "--user", "--map-root-user")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
NO_PROC = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /proc && exec "$@"', "sh")
HIDDEN = ("unshare", "--mount", "sh", "-c",
          'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups '
          '--inh-caps=-all,+net_admin --ambient-caps=+net_admin "$@"', "sh")
HIDDEN_WITH_PTRACE = tuple(word.replace("+net_admin", "+net_admin,+sys_ptrace") for word in HIDDEN)
ONLY_PIDS = ("unshare", "--mount", "sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh")
NO_PROCESSES = (*NOBODY, "prlimit", "--nproc=0:0")


class Findings:
    """The output of doctor, as text and as JSON."""

    def __init__(self, *flags, prefix=(), before_exec=None):
        def run(*more):
            return subprocess.run([*prefix, harness.exporter_binary(), "doctor", *flags, *more],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                  timeout=harness.DEADLINE_SECONDS, preexec_fn=before_exec)

        text, document = run(), run("--json")
        self.code, self.lines, self.err = text.returncode, text.stdout.splitlines(), text.stderr + document.stderr
        self.json_code, self.json = document.returncode, json.loads(document.stdout)

    def not_ok(self):
        return {check["name"]: check["state"] for check in self.json["checks"] if check["state"] != "ok"}

    def of(self, name):
        return next(check for check in self.json["checks"] if check["name"] == name)


class Doctor(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        missing = [tool for tool in ("unshare", "setpriv", "prlimit") if not shutil.which(tool)]
        harness.require(f"not installed: {', '.join(missing)} (util-linux)" if missing else None)

    def setUp(self):
        self.address = f"--web.listen-address=127.0.0.1:{harness.free_port()}"

    def diagnose(self, *flags, **options):
        found = Findings(self.address, *flags, **options)
        self.assertEqual(found.err, "")
        self.assertEqual([check["name"] for check in found.json["checks"]], CHECKS)
        self.assertEqual(found.json["ok"], "failed" not in found.not_ok().values())
        self.assertEqual((found.code, found.json_code), (0, 0) if found.json["ok"] else (1, 1))
        self.check_lines(found)
        return found

    def check_lines(self, found):
        columns = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}
        self.assertEqual(len(found.lines), len(CHECKS), found.lines)
        for line, check in zip(found.lines, found.json["checks"]):
            remedy = f"; {check['remedy']}" if check["remedy"] else ""
            self.assertEqual(line, f"{columns[check['state']]} {check['name']}: {check['finding']}{remedy}")
            self.assertEqual(check["state"] == "ok", check["remedy"] == "", line)

    def check_not_ok(self, found, **states):
        self.assertEqual(found.not_ok(), states, "\n".join(found.lines))

    def test_no_problem_as_root(self):
        before = connector.listener_count()
        found = self.diagnose()
        self.check_not_ok(found)
        self.assertIn(os.uname().release, found.of("kernel")["finding"])
        self.assertIn("fork, comm, exit", found.of("subscription")["finding"])
        self.assertEqual(connector.listener_count(), before, "doctor changed the kernel's listener count")
        print("\n".join(found.lines))

    def test_beside_an_exporter(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            self.check_not_ok(self.diagnose())
            self.assertEqual(exporter.scrape().sum("procevent_subscription_restarts_total"), 0)

    def test_foreign_network(self):
        found = self.diagnose(before_exec=harness.enter_new_network)
        self.assertEqual(found.of("namespaces")["state"], "failed")
        self.assertIn("--network host", found.of("namespaces")["remedy"])
        self.assertIn("--network host", found.of("subscription")["remedy"])
        self.check_not_ok(found, kernel="warning", namespaces="failed", subscription="failed")

    def test_foreign_pids(self):
        for name, prefix in (("the host's /proc", PIDS), ("its own /proc", (*PIDS, *NEW_PROC))):
            with self.subTest(name):
                found = self.diagnose(prefix=prefix)
                self.check_not_ok(found, namespaces="failed", subscription="failed")
                for check in ("namespaces", "subscription"):
                    self.assertIn("--pid host", found.of(check)["remedy"])

    def test_foreign_users(self):
        for name, prefix in (("as nobody", USER), ("as root of the namespace", USER_AS_ROOT)):
            with self.subTest(name):
                found = self.diagnose(prefix=prefix)
                self.assertEqual(found.of("namespaces")["state"], "failed")
                self.assertIn("--userns host", found.of("namespaces")["remedy"])
                self.assertIn("--userns host", found.of("subscription")["remedy"])
                self.assertNotEqual(found.of("capability")["state"], "ok")

    def test_foreign_time(self):
        before = connector.listener_count()
        for seconds in (100_000, 1):
            with self.subTest(seconds):
                found = self.diagnose(prefix=("unshare", "--time", "--monotonic", str(seconds), "--fork"))
                self.check_not_ok(found, namespaces="failed", subscription="failed")
                self.assertIn(f"by {seconds * 1000}ms", found.of("namespaces")["finding"])
                for check in ("namespaces", "subscription"):
                    self.assertIn("time namespace", found.of(check)["remedy"])
        self.check_not_ok(self.diagnose(prefix=("unshare", "--time", "--boottime", "100000", "--fork")))
        self.assertEqual(connector.listener_count(), before, "doctor changed the kernel's listener count")

    def test_without_capability(self):
        harness.require(harness.unprivileged_skip_reason())
        found = self.diagnose(prefix=NOBODY)
        self.assertIn("NET_ADMIN", found.of("capability")["remedy"])
        if tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < (6, 6):
            self.check_not_ok(found, capability="failed", buffer="warning", subscription="failed")
            return
        with open("/proc/sys/net/core/rmem_max", encoding="ascii") as file:
            limit = file.read().strip()
        self.assertIn(f"net.core.rmem_max is {limit}", found.of("buffer")["finding"])
        self.assertIn("net.core.rmem_max", found.of("buffer")["remedy"])
        self.check_not_ok(found, capability="warning", buffer="warning")

    def test_without_proc(self):
        found = self.diagnose(prefix=NO_PROC)
        self.check_not_ok(found, namespaces="warning", proc="warning", audit="warning")

    def test_proc_with_pids_only(self):
        found = self.diagnose(prefix=ONLY_PIDS)
        self.check_not_ok(found, audit="warning")
        self.assertIn("ProcSubset=all", found.of("audit")["remedy"])

    def test_hidden_processes(self):
        harness.require(harness.unprivileged_skip_reason())
        found = self.diagnose(prefix=HIDDEN)
        self.check_not_ok(found, proc="warning")
        self.assertIn("hidepid", found.of("proc")["remedy"])
        self.check_not_ok(self.diagnose(prefix=HIDDEN_WITH_PTRACE))

    def test_fork_fails(self):
        harness.require(harness.unprivileged_skip_reason())
        found = self.diagnose(prefix=NO_PROCESSES)
        self.assertIn("cannot fork a child", found.of("subscription")["finding"])
        self.assertIn("ulimit -u", found.of("subscription")["remedy"])

    def test_few_open_files(self):
        found = self.diagnose(prefix=("prlimit", "--nofile=100:399"))
        self.check_not_ok(found, **{"open files": "warning"})
        self.assertRegex(found.of("open files")["finding"], r"\b399\b")
        self.assertRegex(found.of("open files")["remedy"], r"ulimit -n\b.*\b400\b")
        # The exporter raises the soft limit to the hard limit.
        self.check_not_ok(self.diagnose(prefix=("prlimit", "--nofile=100:400")))

    def test_too_few_open_files(self):
        found = self.diagnose(prefix=("prlimit", "--nofile=6:6"))
        self.assertEqual(found.of("open files")["state"], "failed")
        self.assertRegex(found.of("open files")["finding"], r"\b6\b")
        self.check_not_ok(self.diagnose(prefix=("prlimit", "--nofile=16:16")), **{"open files": "warning"})

    def test_too_little_memory(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="procevent-e2e-") as file:
            file.write("processes:\n  limit: 4194304\n")
            file.flush()
            found = self.diagnose(f"--config.file={file.name}", prefix=("prlimit", "--as=100000000"))
        self.check_not_ok(found, start="failed")
        self.assertIn("processes.limit", found.of("start")["remedy"])

    def test_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            found = self.diagnose(f"--web.listen-address=127.0.0.1:{port}")
        self.check_not_ok(found, address="failed")
        self.assertIn(f"127.0.0.1:{port}", found.of("address")["finding"])
        self.assertIn("--web.listen-address", found.of("address")["remedy"])

    def test_uses_the_configuration_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="procevent-e2e-") as file:
            file.write("source:\n  events: [fork]\n  receive_buffer: 1MiB\n")
            file.flush()
            found = self.diagnose(f"--config.file={file.name}")
            self.check_not_ok(found)
            self.assertIn("1024KiB", found.of("buffer")["finding"])
            self.assertIn("fork, comm", found.of("subscription")["finding"])
            self.assertNotIn("exit", found.of("subscription")["finding"])
            file.write("nonsense: 1\n")
            file.flush()
            done = subprocess.run([harness.exporter_binary(), "doctor", f"--config.file={file.name}"], check=False,
                                  capture_output=True, text=True, timeout=harness.DEADLINE_SECONDS)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("nonsense", done.stderr)


if __name__ == "__main__":
    harness.main()
