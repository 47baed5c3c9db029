"""Tests the binary from outside: health check, flags, configuration file, pages, and stopping."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import connector
import harness

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "deploy"))
from catalogue import catalogue  # noqa: E402

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "demo", "demo.pcap")
REPLAY = (f"--source.replay={DEMO}", "--source.replay-loop=true")
HEALTH_SECONDS = 5  # the timeout of the image's health check
PARTIAL = b"HTTP/1."
MAX_STOP_SECONDS = 5  # far less than the timeout of a client or the duration of a storm
EVENTS = set(connector.ALL_NAMES) - {"ack"}
REASONS = {"no_ack", "silence", "fault", "unseen_clones"}


def run(*arguments):
    return subprocess.run([harness.exporter_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.DEADLINE_SECONDS, check=False)


class HealthCheck(unittest.TestCase):
    def check_health(self, port, *flags):
        return run("healthcheck", f"--web.listen-address=127.0.0.1:{port}", *flags)

    def check_unhealthy(self, port, cause):
        start = time.monotonic()
        done = self.check_health(port)
        self.assertLess(time.monotonic() - start, HEALTH_SECONDS)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, rf"^procevent_exporter: cannot confirm the health of the exporter at "
                                      rf"127.0.0.1:{port}: {cause}[^\n]*\n$")

    @contextlib.contextmanager
    def answering(self, text):
        """A server that sends the text to one client and closes. With PARTIAL it waits until the client has closed."""
        def answer():
            with contextlib.suppress(OSError), server.accept()[0] as client:
                client.sendall(text)
                while text == PARTIAL and client.recv(64):
                    pass

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(harness.DEADLINE_SECONDS)
            thread = threading.Thread(target=answer)
            thread.start()
            yield server.getsockname()[1]
            thread.join()

    def test_healthy_exporter(self):
        for flags in ((), ("--web.allow=127.0.0.0/8",)):
            with self.subTest(flags), harness.Exporter(*REPLAY, *flags) as exporter:
                exporter.wait_ready()
                done = self.check_health(exporter.port)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "healthy\n", ""))
                everywhere = run("healthcheck", f"--web.listen-address=:{exporter.port}")
                self.assertEqual(everywhere.stdout, "healthy\n", everywhere.stderr)

    def test_exporter_that_excludes_this_machine(self):
        with harness.Exporter(*REPLAY, "--web.allow=127.0.0.2") as exporter:
            harness.wait_for("it to serve", lambda: "serving" in exporter.log())
            self.check_unhealthy(exporter.port, "connection closed without an answer; .*web.allow")

    def test_nothing_listens(self):
        port = harness.free_port()
        self.check_unhealthy(port, "Connection refused: no process listens ")
        everywhere = run("healthcheck", f"--web.listen-address=0.0.0.0:{port}")
        self.assertRegex(everywhere.stderr,
                         rf"^procevent_exporter: cannot confirm the health of the exporter at 127\.0\.0\.1:{port}: ")

    def test_server_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.check_unhealthy(server.getsockname()[1], "no answer within 2 s; .* log")

    def test_server_accepts_no_connection(self):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
            port = server.getsockname()[1]
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            self.check_unhealthy(port, "no answer within 2 s; .* log")

    def test_other_servers(self):
        for name, text, cause in (
                ("other protocol", b"SSH-2.0-OpenSSH_9.2\r\n", r'unexpected answer \("SSH-2\.0-OpenS"\); '),
                ("short answer", b"no\r\n", r'unexpected answer \("no\\x0d\\x0a"\); '),
                ("broken off", b"HTTP/1.1 2", "connection closed within the answer; .* log"),
                ("incomplete answer", PARTIAL, "no answer within 2 s; .* log")):
            with self.subTest(name), self.answering(text) as port:
                self.check_unhealthy(port, cause)

    def test_invalid_file_is_ignored(self):
        """A running exporter also ignores an invalid file on a reload."""
        with harness.Exporter(*REPLAY) as exporter, tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            exporter.wait_ready()
            file = os.path.join(directory, "wrong.yml")
            with open(file, "w", encoding="utf-8") as text:
                text.write("web: {listen_addresses: nowhere}\n")
            for flags, environment in (((f"--config.file={file}",), {}), ((), {"PROCEVENT_CONFIG_FILE": file})):
                with self.subTest(flags), unittest.mock.patch.dict(os.environ, environment):
                    done = self.check_health(exporter.port, *flags)
                    self.assertEqual((done.returncode, done.stdout), (0, "healthy\n"), done.stderr)
                    self.assertEqual(done.stderr,
                                     f"procevent_exporter: cannot use the configuration file {file}: it is invalid; "
                                     f"run check-config to see its errors (asking 127.0.0.1:{exporter.port} instead)\n")

    def test_other_faults_are_unhealthy(self):
        """The exit code is 1, as container engines expect."""
        with unittest.mock.patch.dict(os.environ, {"PROCEVENT_LOG_LEVEL": "loud"}):
            done = self.check_health(harness.free_port())
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r'^PROCEVENT_LOG_LEVEL: invalid value "loud"')


class Flags(unittest.TestCase):
    def run_with_config(self, text, *arguments):
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="procevent-e2e-") as file:
            file.write(text)
            file.flush()
            return file.name, run(*arguments, f"--config.file={file.name}")

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"procevent_exporter.* \d+\.\d+\.\d+")

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        for flag in ("--config.file", "--web.listen-address", "--web.telemetry-path", "--web.allow",
                     "--web.max-requests", "--log.level", "--log.format", "--version", "check-config"):
            self.assertIn(flag, done.stdout)

    def test_wrong_usage(self):
        for name, arguments in (("unknown flag", ["--no-such-flag"]), ("unknown command", ["no-such-command"]),
                                ("bad log level", ["--log.level=loud"]),
                                ("bad address", ["--web.listen-address=nowhere"]),
                                ("bad path", ["--web.telemetry-path=metrics"])):
            with self.subTest(name):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(arguments[0].split("=")[0], done.stderr)

    def test_unknown_flag_names_the_nearest_one(self):
        done = run("--log.levle=info")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r'\A[^\n]*"--log\.levle"[^\n]*"--log\.level"[^\n]*see --help[^\n]*\n\Z')

    def test_check_config(self):
        file, good = self.run_with_config("log:\n  level: debug\n", "check-config", "--log.format=json")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertEqual(good.stderr, "")
        lines = good.stdout.splitlines()
        self.assertEqual(lines[0], f"# the configuration is valid; file: {file}")
        self.assertEqual(lines[-3:], ["log:", f"  level: debug  # {file}:2", "  format: json  # flag --log.format"])
        _, bad = self.run_with_config("log:\n  level: loud\n", "check-config")
        self.assertEqual(bad.returncode, 2)

    def test_environment_overrides_the_file(self):
        with unittest.mock.patch.dict(os.environ, {"PROCEVENT_LOG_LEVEL": "error", "PROCEVENT_PORT": "tcp://10.0.0.1"}):
            _, done = self.run_with_config("log:\n  level: debug\n", "check-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\n  level: error  # environment PROCEVENT_LOG_LEVEL\n", done.stdout)
        with unittest.mock.patch.dict(os.environ, {"PROCEVENT_LOG_LEVL": "error"}):
            done = run("check-config")
        self.assertEqual(done.returncode, 2)
        self.assertIn('did you mean "PROCEVENT_LOG_LEVEL"?', done.stderr)

    def test_output_of_check_config_is_a_valid_file(self):
        printed = run("check-config", "--web.allow=10.0.0.0/8", "--log.level=debug").stdout
        _, again = self.run_with_config(printed, "check-config")
        self.assertEqual(again.returncode, 0, again.stderr)
        without_comments = [[line.split("  #")[0] for line in text.splitlines()[1:]]
                            for text in (printed, again.stdout)]
        self.assertEqual(*without_comments)

    def test_all_faults_of_a_file_are_reported(self):
        text = "log:\n  level: loud\nsource:\n  receive_bufer: 1MiB\n"
        for name, command in (("check-config", ["check-config"]), ("serving", [])):
            with self.subTest(name):
                file, done = self.run_with_config(text, *command)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, rf"{re.escape(file)}:2:\d+: .*log\.level.*loud.*debug")
                self.assertRegex(done.stderr, rf"{re.escape(file)}:4:\d+: .*receive_bufer")

    def test_no_such_file(self):
        done = run("--config.file=/no/such/file.yml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/no/such/file.yml", done.stderr)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"127.0.0.1:{server.getsockname()[1]}"
            _, done = self.run_with_config("", f"--web.listen-address={address}")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(address, done.stderr)
        self.assertIn("in use", done.stderr)


class Serving(harness.LiveTest):
    def test_metrics_are_complete(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            answer = exporter.get("/metrics")
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            scrape = exporter.scrape()
            self.assertEqual(scrape.names(), set(catalogue()))
            self.assertEqual(set(scrape.by("procevent_events_total", "event")), EVENTS)
            self.assertEqual(set(scrape.by("procevent_subscription_restarts_total", "reason")), REASONS)
            self.assertEqual(scrape.value("procevent_up"), 1)
            self.assertEqual(scrape.sum("procevent_subscription_restarts_total"), 0)
            self.assertGreaterEqual(scrape.value("procevent_acks_total"), 1)
            self.check_delay_counts(scrape)

    def check_delay_counts(self, scrape):
        self.assertEqual(scrape.value("procevent_event_delay_seconds_count"), scrape.sum("procevent_events_total"))

    def test_promtool_finds_no_fault(self):
        promtool = shutil.which("promtool")
        harness.require(None if promtool else "not installed: promtool")
        with harness.Exporter() as exporter:
            text = exporter.wait_ready().get("/metrics").body
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False,
                              timeout=harness.DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_pages(self):
        with harness.Exporter("--web.telemetry-path=/other") as exporter:
            exporter.wait_ready()
            for path, method, status in (("/", "GET", 200), ("/-/healthy", "GET", 200), ("/-/ready", "GET", 200),
                                         ("/other", "GET", 200), ("/other", "HEAD", 200), ("/other", "POST", 405),
                                         ("/others", "GET", 404), ("/metrics", "GET", 404)):
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(exporter.get(path, method).status, status)

    def test_narrowed_mask_makes_losses_inexact(self):
        with harness.Exporter(config="source:\n  events: [fork]\n") as exporter:
            scrape = exporter.wait_ready().scrape()
            self.assertEqual(scrape.value("procevent_loss_exact"), 0)
            self.assertNotIn("procevent_events_lost_total", scrape.names())
            with harness.Storm("fork", 100) as storm:
                storm.wait()
            harness.wait_for("the forks", lambda: harness.event_counts(exporter.scrape())["fork"] >= 103)
            self.assertEqual(harness.event_counts(exporter.scrape())["exit"], 0)

    def test_flags_override_the_file(self):
        with harness.Exporter("--log.format=json", config="log:\n  format: logfmt\n") as exporter:
            exporter.wait_ready()
            self.assertEqual(exporter.stop()[0], 0)
            lines = exporter.log().splitlines()
            self.assertTrue(lines and all(line.startswith("{") for line in lines), lines)


class Stopping(harness.LiveTest):
    def check_stop(self, exporter):
        code, seconds = exporter.stop()
        self.assertEqual(code, 0)
        self.assertLess(seconds, MAX_STOP_SECONDS)

    def test_stop_unsubscribes(self):
        before = connector.listener_count()
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with exporter.stopped():  # counting interrupts subscriptions, which a running exporter would detect
                self.assertEqual(connector.listener_count(), before + 1)
            self.check_stop(exporter)
        self.assertEqual(connector.listener_count(), before)

    def test_sigint_stops(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            exporter.process.send_signal(signal.SIGINT)
            self.assertEqual(exporter.process.wait(harness.DEADLINE_SECONDS), 0)

    def test_stops_in_a_storm(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with harness.Storm("vfork", 1000000) as storm:
                harness.wait_for("the storm", lambda: harness.event_counts(exporter.scrape())["fork"] > 1000)
                self.check_stop(exporter)
                self.assertTrue(storm.running(), "the storm ended first")

    def test_stops_with_a_client_that_does_not_read(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with socket.create_connection(("127.0.0.1", exporter.port)) as half_open:
                half_open.sendall(b"GET /metrics HTTP/1.1\r\n")
                self.check_stop(exporter)

    def test_stops_with_a_full_log_pipe(self):
        read, write = os.pipe()
        try:
            with harness.Exporter("--log.level=debug", stderr=write) as exporter:
                exporter.wait_ready()
                self.fill(write)
                self.assertEqual(exporter.get("/metrics").status, 200)
                self.check_stop(exporter)
        finally:
            os.close(read)
            os.close(write)

    def fill(self, pipe):
        """Fills the pipe. Opens it again, since O_NONBLOCK is a property of the open file description."""
        own = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
        size = 1 << 16
        try:
            while size > 0:
                try:
                    os.write(own, b"x" * size)
                except BlockingIOError:
                    size //= 2
        finally:
            os.close(own)


class Refused(harness.LiveTest):
    def scrape_from(self, exporter, address):
        """The response to a client with the address, or "" if the connection is closed."""
        connection = http.client.HTTPConnection("127.0.0.1", exporter.port, harness.DEADLINE_SECONDS,
                                                source_address=(address, 0))
        with contextlib.closing(connection), contextlib.suppress(ConnectionError):
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        return ""

    def test_client_that_is_not_allowed_is_logged_and_counted(self):
        with harness.Exporter("--web.allow=127.0.0.2") as exporter:
            harness.wait_for("an answer", lambda: self.scrape_from(exporter, "127.0.0.2"))
            self.assertEqual(self.scrape_from(exporter, "127.0.0.3"), "")
            harness.wait_for("the log to name the client",
                             lambda: harness.log_lines(exporter.log(), "web.allow", level="warning", client="127.0.0.3",
                                                       reason="not_allowed"))
            self.assertIn('\nprocevent_exporter_http_requests_refused_total{reason="not_allowed"} 1\n',
                          self.scrape_from(exporter, "127.0.0.2"))


if __name__ == "__main__":
    harness.main()
