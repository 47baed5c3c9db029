"""deploy/nginx behind its README: a real nginx makes TLS and asks for the password, and a real Prometheus scrapes."""

import base64
import collections
import concurrent.futures
import contextlib
import http.client
import os
import socket
import ssl
import stat
import warnings

import harness
import prometheus
import proxy

PAGES = ("/", "/metrics", "/-/healthy", "/-/ready")
ELSEWHERE = ("/metricsfoo", "/metrics/", "/-/", "/-/healthy/", "/index.html", "/favicon.ico", "/x/%2e%2e/etc/passwd")
PASSWORD = (proxy.USER, proxy.PASSWORD)

Answer = collections.namedtuple("Answer", "status headers body")


def tls(server, version=None):
    context = ssl.create_default_context(cafile=server.certificate)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # else it is our side that refuses the old ones
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context


class HostConnection(http.client.HTTPSConnection):
    """Connects to the loopback, and expects the certificate of this host."""

    def connect(self):
        self.sock = self._context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), self.timeout),
                                              server_hostname=socket.gethostname())


def ask(server, path, password=PASSWORD, method="GET", headers=(), body=None, version=None):
    connection = HostConnection("127.0.0.1", server.port, timeout=harness.DEADLINE_SECONDS,
                                context=tls(server, version))
    headers = dict(headers)
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(password).encode()).decode()
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def listening(pid):
    """The addresses where that process listens, as /proc/net writes them."""
    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    found = []
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
            found += [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links]
    return found


class BehindNginx(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(proxy.why_not())
        cls.exporter = cls.enterClassContext(harness.Exporter())
        cls.exporter.wait_ready()

    def proxy(self):
        return self.enterContext(proxy.Proxy(self.exporter.port))

    def test_prometheus_scrapes(self):
        harness.require(prometheus.why_not())
        server = self.proxy()
        server.write("password", proxy.PASSWORD + "\n")
        job = {"scheme": "https",
               "basic_auth": {"username": proxy.USER, "password_file": f"{server.directory}/password"},
               "tls_config": {"ca_file": server.certificate, "server_name": socket.gethostname()}}
        with prometheus.Prometheus(server.port, **job) as scraper:
            scraper.wait_scraping()
            self.assertEqual([value for _, value in scraper.query("up")], ["1"])
            self.assertEqual([value for _, value in scraper.query("procevent_listener_up")], ["1"])

    def test_pages(self):
        server = self.proxy()
        for path in PAGES:
            for method in ("GET", "HEAD"):
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(ask(server, path, method=method).status, 200)
        metrics = ask(server, "/metrics")
        self.assertIn(b"\nprocevent_listener_up 1\n", metrics.body)
        self.assertEqual(metrics.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(ask(server, "/metrics", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"],
                         "gzip")
        self.assertEqual(ask(server, "/metrics", method="POST").status, 405)

    def test_headers(self):
        server = self.proxy()
        for path, password, status in (("/", PASSWORD, 200), ("/metrics", None, 401), ("/other", PASSWORD, 404)):
            with self.subTest(path):
                answer = ask(server, path, password)
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.headers["Server"], "nginx")
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.assertEqual(ask(server, "/").headers.get_all("X-Content-Type-Options"), ["nosniff"])

    def test_without_the_password(self):
        server = self.proxy()
        for name, password in (("none", None), ("wrong", (proxy.USER, "wrong")), ("empty", (proxy.USER, "")),
                               ("nobody's", ("nobody", proxy.PASSWORD))):
            for path in PAGES:
                with self.subTest(name, path=path):
                    answer = ask(server, path, password)
                    self.assertEqual(answer.status, 401)
                    self.assertIn("Basic", answer.headers["WWW-Authenticate"])
                    self.assertNotIn(b"procevent_", answer.body)

    def test_elsewhere_is_nothing(self):
        server = self.proxy()
        for path in ELSEWHERE:
            with self.subTest(path):
                self.assertEqual(ask(server, path).status, 404)

    def test_plain_http_is_refused(self):
        server = self.proxy()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=harness.DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            self.assertEqual(response.status, 400)
            self.assertNotIn(b"procevent_", response.read())

    def test_old_tls_is_refused(self):
        server = self.proxy()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(ask(server, "/metrics", version=version).status, 200, version)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version), self.assertRaisesRegex(ssl.SSLError, "ALERT_PROTOCOL_VERSION"):
                ask(server, "/metrics", version=version)

    def test_limits(self):
        server = self.proxy()
        self.assertEqual(ask(server, "/metrics", method="POST", body=b"x" * 2000).status, 413)
        self.assertEqual(ask(server, "/metrics", headers={"X-Long": "x" * 5000}).status, 400)
        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda _: ask(server, "/metrics", (proxy.USER, "wrong")).status, range(100)))
        self.assertEqual(set(answers), {401, 429})
        self.assertGreaterEqual(answers.count(401), 15)

    def test_what_reaches_the_exporter(self):
        with socket.create_server(("127.0.0.1", 0)) as upstream:
            upstream.settimeout(harness.DEADLINE_SECONDS)
            server = self.enterContext(proxy.Proxy(upstream.getsockname()[1]))
            with concurrent.futures.ThreadPoolExecutor(1) as client:
                answer = client.submit(ask, server, "//x/../metrics?a=b")
                connection, _ = upstream.accept()
                with connection:
                    request = connection.recv(65536).decode()
                    connection.sendall(b"HTTP/1.0 503 Service Unavailable\r\n\r\nthe cause\n")
                self.assertEqual(answer.result().status, 503)
                self.assertEqual(answer.result().body, b"the cause\n")
        self.assertRegex(request, r"^GET /metrics\?a=b HTTP/1.[01]\r\n")
        self.assertNotIn("Authorization", request)

    def test_an_exporter_that_is_gone(self):
        server = self.enterContext(proxy.Proxy(harness.free_port()))
        self.assertEqual(ask(server, "/metrics").status, 502)

    def test_secrets_are_kept(self):
        server = self.proxy()
        for name, most in (("key.pem", 0o600), ("htpasswd", 0o640)):
            mode = stat.S_IMODE(os.stat(f"{server.directory}/procevent_exporter/{name}").st_mode)
            self.assertEqual(mode & ~most, 0, f"{name}: {mode:o}")

    def test_the_exporter_itself_is_not_in_the_network(self):
        self.assertEqual(listening(self.exporter.pid()), [f"0100007F:{self.exporter.port:04X}"])


if __name__ == "__main__":
    harness.main()
