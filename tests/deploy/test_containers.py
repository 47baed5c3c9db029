"""Tests the image with a real engine: README.md's command line, wrong ways to run it, and deploy/compose."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import tempfile
import unittest
import urllib.parse
import urllib.request

import engine  # first: it extends sys.path

import connector
import containers
import event_counter
import harness
import measure

MAX_BYTES = 100_000_000  # with the base
NAME_OPTIONS = ("--name", "--restart")
README = (engine.ROOT / "README.md").read_text()


def without(options, *names):
    """The options without those of the given names."""
    return [option for option in options if option.split("=")[0] not in names]


def refusal(exporter):
    """The text of /-/ready once it mentions a namespace, else None."""
    answer = exporter.readiness()
    text = answer.body.decode() if answer is not None else ""
    return text if "namespace" in text else None


def port_skip_reason(port):
    """The reason to skip if another program listens on the port, else None."""
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return None
    return f"port {port} is in use; stop the program that listens on it"


_engine = None


def setUpModule():
    """One engine and one build for all tests."""
    global _engine
    harness.require(harness.live_skip_reason() or engine.skip_reason())
    _engine = unittest.enterModuleContext(engine.Engine())
    _engine.load_base()
    print(f"the image was built in {_engine.build():.0f} s", flush=True)


class Image(unittest.TestCase):
    def setUp(self):
        self.engine = _engine
        self.options = without(engine.published_command(README), *NAME_OPTIONS)

    def run_in(self, *arguments):
        return self.engine.run("run", "--rm", "--network=none", "--entrypoint=", engine.IMAGE, *arguments)

    def test_is_small_and_holds_what_it_needs(self):
        size = self.engine.inspect(engine.IMAGE, ".Size")
        base = self.engine.inspect(engine.BASE, ".Size")
        print(f"the image has {size / 1e6:.1f} MB, of which {base / 1e6:.1f} MB are the base", flush=True)
        self.assertLess(size, MAX_BYTES)
        for path in ("/usr/bin/procevent_exporter", "/etc/procevent_exporter/procevent_exporter.yml",
                     "/usr/share/procevent_exporter/demo.pcap"):
            self.run_in("test", "-s", path)
        self.assertNotIn("not found", self.run_in("ldd", "/usr/bin/procevent_exporter"))
        self.assertEqual(self.run_in("sh", "-c", "which g++ cmake python3 || true"), "")
        labels = self.engine.inspect(engine.IMAGE, ".Config.Labels")
        version = self.run_in("procevent_exporter", "--version").split()[1]
        self.assertEqual(labels["org.opencontainers.image.version"], version)

    def test_counts_a_storm_of_the_host_exactly(self):
        with event_counter.EventCounter() as counter, engine.Container(self.engine, *self.options) as exporter:
            exporter.wait_ready()
            connector.prime_cpus()
            before = measure.scrape_with_span(exporter, counter)
            with harness.Storm("fork", 8000) as storm:
                numbers = harness.await_storm(storm, counter)
            after = measure.scrape_with_span(exporter, counter)
            counted = measure.growth(before.events, after.events)
            self.assertEqual(counter.lost(), 0, "the test's own counter lost events")
            measure.check_growth(self, counted, before.span, after.span)
            self.assertGreaterEqual(counted["fork"], numbers["forks"])
            self.assertEqual(after.scrape.sum("procevent_events_lost_total"), 0)
            storms = [cut.scrape.by("procevent_forks_total", "comm").get("storm", 0) for cut in (before, after)]
            self.assertEqual(storms[1] - storms[0], numbers["forks"])
            harness.wait_for("the engine to find it healthy", lambda: exporter.health() == "healthy")
            status = pathlib.Path(f"/proc/{exporter.pid()}/status").read_text()
            self.assertIn("\nNoNewPrivs:\t1\n", status)
            self.assertIn("\nCapBnd:\t0000000000001000\n", status)  # CAP_NET_ADMIN

    def check_remedies(self, options, *remedies):
        with engine.Container(self.engine, *options) as exporter:
            answer = harness.wait_for("a cause", lambda: refusal(exporter))
            for remedy in remedies:
                self.assertIn(remedy, answer)
                self.assertIn(remedy, exporter.log())
            self.assertEqual(exporter.scrape().value("procevent_up"), 0)
            harness.wait_for("the engine to find it healthy", lambda: exporter.health() == "healthy")

    def test_reports_missing_host_pids(self):
        self.check_remedies(without(self.options, "--pid"), "--pid host")

    def test_reports_missing_host_network(self):
        self.check_remedies(["--network=none", *without(self.options, "--network")], "--network host")

    def test_reports_missing_host_pids_and_network(self):
        self.check_remedies(["--network=none", *without(self.options, "--network", "--pid")],
                        "--pid host", "--network host")

    def test_warns_without_the_capability(self):
        with engine.Container(self.engine, *without(self.options, "--cap-add")) as exporter:
            exporter.wait_ready()
            self.assertIn("CAP_NET_ADMIN", exporter.log())
            self.assertIn("level=warning", exporter.log())

    def demo(self, *options):
        return engine.Container(self.engine, "--cap-drop=ALL", "--read-only", "--network=none", "--user=65534",
                                "--security-opt=no-new-privileges", *options, arguments=(
                                    "--source.replay=/usr/share/procevent_exporter/demo.pcap",
                                    "--source.replay-speed=max"))

    def test_demo_needs_no_privilege(self):
        with self.demo() as exporter:
            exporter.wait_ready()
            harness.wait_for("the end of the demo", lambda: "replay finished" in exporter.log())
            self.assertEqual(exporter.scrape().value("procevent_replayed"), 1)

    def test_stopped_exporter_is_unhealthy(self):
        """The health check fails although the process has not ended."""
        with engine.Container(self.engine, *self.options, "--health-retries=1",
                              "--health-start-period=0s") as exporter:
            exporter.wait_ready()
            with exporter.stopped():
                harness.wait_for("the engine to find it unhealthy", lambda: exporter.health() == "unhealthy")
            harness.wait_for("the engine to find it healthy again", lambda: exporter.health() == "healthy")

    def by_readme(self, command, exporter):
        """Runs a command line of README.md for the container in a shell of this machine."""
        command = re.sub(r"procevent_exporter(?= procevent_exporter|\))", exporter.name, command, count=1)
        return engine.run("bash", "-c", command.replace(" -it ", " "),
                          env={**os.environ, "DOCKER_HOST": self.engine.host})

    def test_readme_commands_reload_record_and_watch(self):
        """The configuration file is replaced by a new one, as editors do."""
        with tempfile.TemporaryDirectory(prefix="procevent-config-") as folder:
            os.chmod(folder, 0o755)
            file = pathlib.Path(folder, "procevent_exporter.yml")
            file.write_text("log: {level: info}\n")
            options = [*self.options, f"--volume={folder}:/etc/procevent_exporter:ro"]
            with engine.Container(self.engine, *options) as exporter:
                exporter.wait_ready()
                other = file.with_suffix(".new")
                other.write_text("log: {level: debug}\n")
                other.rename(file)
                self.by_readme(containers.RELOAD, exporter)
                harness.wait_for("the new level", lambda: "log.level" in exporter.log())
                capture = pathlib.Path(folder, "capture")
                self.by_readme(containers.RECORD.replace("=10s", "=1s").replace("FILE", str(capture)), exporter)
                self.assertEqual(capture.read_bytes()[:4], b"\x4d\x3c\xb2\xa1")  # pcap's nanoseconds
                self.assertIn(" exit ", self.by_readme(containers.WATCH.replace("=1m", "=2s"), exporter))

    def test_invalid_file_does_not_make_it_unhealthy(self):
        """The exporter would reject the file and keep running."""
        with tempfile.TemporaryDirectory(prefix="procevent-config-") as folder:
            os.chmod(folder, 0o755)
            file = pathlib.Path(folder, "procevent_exporter.yml")
            file.write_text("log: {level: info}\n")
            with self.demo(f"--volume={folder}:/etc/procevent_exporter:ro") as exporter:
                exporter.wait_ready()
                file.write_text("log: {level: loud}\n")
                self.assertIn("healthy\n", self.engine.run("exec", exporter.name, "procevent_exporter", "healthcheck"))


class UserNamespace(unittest.TestCase):
    # A private view of /etc that maps the user to other users.
    MAPPED = ("unshare", "--mount", "sh", "-c",
              'mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && exec "$@"')

    def test_reports_user_namespace(self):
        """An engine that remaps the users of its containers."""
        with tempfile.TemporaryDirectory(prefix="procevent-image-") as folder:
            ranges = pathlib.Path(folder, "ranges")
            ranges.write_text("nobody:200000:65536\nnogroup:200000:65536\n")
            remapped = self.enterContext(engine.Engine("--userns-remap=nobody:nogroup", prefix=(*self.MAPPED, ranges)))
            tar = os.path.join(folder, "image.tar")
            _engine.run("save", "--output", tar, engine.IMAGE, seconds=engine.BUILD_SECONDS)
            remapped.run("load", "--input", tar, seconds=engine.BUILD_SECONDS)
            with engine.Container(remapped, "--network=none") as exporter:
                answer = harness.wait_for("a cause", lambda: refusal(exporter))
                self.assertIn("--userns host", answer)
                self.assertIn("--userns host", exporter.log())


class Compose(unittest.TestCase):
    """deploy/compose with the real docker-compose. Prometheus is Debian's, in an image made here. An idle container
    replaces Grafana, which has no image here, and shows the files that Grafana would read."""

    FILE = engine.ROOT / "deploy" / "compose" / "compose.yml"
    PROVISIONING = engine.ROOT / "deploy" / "grafana" / "provisioning"
    PROMETHEUS = "procevent-test-prometheus"
    GRAFANA = "procevent-test-grafana"
    SERVICES = {"node": ("exporter", "prometheus", "grafana"),
                "demo": ("demo-exporter", "demo-prometheus", "demo-grafana")}
    PORTS = {"node": (9090, 13675), "demo": (3000, 9090)}

    @classmethod
    def setUpClass(cls):
        if shutil.which("docker-compose") is None:
            harness.require("docker-compose is missing: deploy/install_packages.sh deploy")
        cls.build(cls.PROMETHEUS, 'COPY prometheus /usr/bin/\nENTRYPOINT ["prometheus"]\n', "/usr/bin/prometheus")
        cls.build(cls.GRAFANA, 'STOPSIGNAL SIGKILL\nENTRYPOINT ["sleep", "infinity"]\n')

    @staticmethod
    def build(name, text, *files):
        with tempfile.TemporaryDirectory(prefix="procevent-image-") as folder:
            for file in files:
                shutil.copy(file, folder)
            pathlib.Path(folder, "Dockerfile").write_text(f"FROM {engine.BASE}\n{text}")
            _engine.run("build", "--tag", name, folder, seconds=engine.BUILD_SECONDS,
                        env={**os.environ, "DOCKER_BUILDKIT": "0"})

    def compose(self, *arguments, **environment):
        return engine.run("docker-compose", "--file", self.FILE, "--project-name", "procevent-test", *arguments,
                          seconds=4 * engine.SECONDS,
                          env={**os.environ, "DOCKER_HOST": _engine.host, "PROMETHEUS_IMAGE": self.PROMETHEUS,
                               "GRAFANA_IMAGE": self.GRAFANA, **environment})

    @contextlib.contextmanager
    def up(self, profile):
        """Runs all services of a profile. The machine's ports must be free, so that no other server answers."""
        for port in self.PORTS[profile]:
            harness.require(port_skip_reason(port))
        try:
            self.compose("--profile", profile, "up", "--detach")
            running = _engine.run("ps", "--format", '{{.Label "com.docker.compose.service"}}').split()
            self.assertEqual(set(running), set(self.SERVICES[profile]))
            yield
        finally:
            self.compose("--profile", profile, "down", "--volumes")

    def in_grafana(self, profile, *command):
        name = self.compose("ps", "--quiet", self.SERVICES[profile][-1]).strip()
        return _engine.run("exec", name, *command)

    def query_api(self, path, **parameters):
        url = f"http://127.0.0.1:9090/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=harness.DEADLINE_SECONDS) as answer:
            return json.load(answer)["data"]
        return None

    def value(self, expression):
        data = self.query_api("query", query=expression)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def check_rules(self):
        groups = harness.wait_for("the rules", lambda: (self.query_api("rules") or {}).get("groups"))
        self.assertGreater(sum(len(group["rules"]) for group in groups), 10)

    def check_grafana(self, profile):
        """Grafana's container has the provisioning files, the dashboards and the Prometheus that they name."""
        (dashboards,) = re.findall(r"(?m)^ +path: (\S+)$", self.read("dashboards/procevent.yml"))
        (host, port) = re.search(r"(?m)^ +url: http://(\w+):(\d+)$", self.read("datasources/prometheus.yml")).groups()
        for inside, folder in (("/etc/grafana/provisioning", self.PROVISIONING),
                               (dashboards, self.PROVISIONING.parent / "dashboards")):
            found = self.in_grafana(profile, "find", inside, "-type", "f").split()
            self.assertEqual({os.path.relpath(path, inside) for path in found},
                             {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()})
        self.assertEqual(self.in_grafana(profile, "getent", "hosts", host).split(), ["127.0.0.1", host])
        answer = self.in_grafana(profile, "bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}; "
                                 "printf 'GET /-/ready HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3")
        self.assertIn(" 200 ", answer)

    def read(self, name):
        return (self.PROVISIONING / name).read_text()

    def test_missing_image_is_built(self):
        """From the layers that the engine has. Only the name of the image is removed."""
        _engine.run("tag", engine.IMAGE, "procevent-test-kept")
        try:
            _engine.run("rmi", engine.IMAGE)
            with self.up("demo"):
                harness.wait_for("a scrape", lambda: self.value("procevent_replayed") == 1, 2 * engine.SECONDS)
            self.assertEqual(_engine.inspect(engine.IMAGE, ".Id"), _engine.inspect("procevent-test-kept", ".Id"))
        finally:
            _engine.run("tag", "procevent-test-kept", engine.IMAGE)
            _engine.run("rmi", "procevent-test-kept")

    def test_image_can_be_selected(self):
        """PROCEVENT_IMAGE replaces the image of both exporters."""
        shown = self.compose("--profile", "node", "--profile", "demo", "config", PROCEVENT_IMAGE="registry.example/a:1")
        self.assertEqual(re.findall(r"(?m)^ +image: (\S*(?:procevent_exporter|a:1))$", shown),
                         ["registry.example/a:1"] * 2)

    def test_node_profile_is_scraped(self):
        with self.up("node"):
            harness.wait_for("a scrape", lambda: self.value("procevent_up") == 1, 2 * engine.SECONDS)
            forks = self.value('sum(procevent_events_total{event="fork"})')
            with harness.Storm("fork", 2000) as storm:
                storm.wait()
            harness.wait_for("the storm in Prometheus", lambda: self.value('sum(procevent_events_total{event="fork"})')
                             >= forks + 2000, 2 * engine.SECONDS)
            self.check_rules()
            self.check_grafana("node")

    def test_demo_profile_is_scraped(self):
        """It has a network of its own, with two ports of this machine."""
        with self.up("demo"):
            harness.wait_for("a scrape", lambda: self.value("procevent_replayed") == 1, 2 * engine.SECONDS)
            self.check_rules()
            self.check_grafana("demo")

    def test_port_in_use_is_reported(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertRegex(port_skip_reason(server.getsockname()[1]), "^port [0-9]+ is in use; stop ")


if __name__ == "__main__":
    harness.main()
