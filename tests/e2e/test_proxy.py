"""Tests deploy/nginx: a real nginx, set up as in docs/security.md, with TLS and a password, and a real Prometheus."""

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
OTHER_PATHS = ("/metricsfoo", "/metrics/", "/-/", "/-/healthy/", "/index.html", "/favicon.ico", "/x/%2e%2e/etc/passwd")
PASSWORD = (proxy.USER, proxy.PASSWORD)

Answer = collections.namedtuple("Answer", "status headers body")


def tls(server, version=None):
    context = ssl.create_default_context(cafile=server.certificate)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # otherwise the client rejects old versions
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context


class HostConnection(http.client.HTTPSConnection):
    """Connects to the loopback and expects the certificate of this host."""

    def connect(self):
        self.sock = self._context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), self.timeout),
                                              server_hostname=socket.gethostname())


def request(server, path, password=PASSWORD, method="GET", headers=(), body=None, version=None):
    connection = HostConnection("127.0.0.1", server.port, timeout=harness.DEADLINE_SECONDS,
                                context=tls(server, version))
    headers = dict(headers)
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(password).encode()).decode()
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def listen_addresses(pid):
    """The addresses that the process listens on, in the format of /proc/net."""
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
        harness.require(proxy.skip_reason())
        cls.exporter = cls.enterClassContext(harness.Exporter())
        cls.exporter.wait_ready()

    def proxy(self):
        return self.enterContext(proxy.Proxy(self.exporter.port))

    def test_prometheus_scrapes_through_nginx(self):
        harness.require(prometheus.skip_reason())
        server = self.proxy()
        server.write("password", proxy.PASSWORD + "\n")
        job = {"scheme": "https",
               "basic_auth": {"username": proxy.USER, "password_file": f"{server.directory}/password"},
               "tls_config": {"ca_file": server.certificate, "server_name": socket.gethostname()}}
        with prometheus.Prometheus(server.port, **job) as scraper:
            scraper.wait_scraping()
            self.assertEqual([value for _, value in scraper.query("up")], ["1"])
            self.assertEqual([value for _, value in scraper.query("procevent_up")], ["1"])

    def test_pages(self):
        server = self.proxy()
        for path in PAGES:
            for method in ("GET", "HEAD"):
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(request(server, path, method=method).status, 200)
        metrics = request(server, "/metrics")
        self.assertIn(b"\nprocevent_up 1\n", metrics.body)
        self.assertEqual(metrics.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(request(server, "/metrics", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"],
                         "gzip")
        self.assertEqual(request(server, "/metrics", method="POST").status, 405)

    def test_headers(self):
        server = self.proxy()
        for path, password, status in (("/", PASSWORD, 200), ("/metrics", None, 401), ("/other", PASSWORD, 404)):
            with self.subTest(path):
                answer = request(server, path, password)
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.headers["Server"], "nginx")
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.assertEqual(request(server, "/").headers.get_all("X-Content-Type-Options"), ["nosniff"])

    def test_wrong_passwords_are_rejected(self):
        server = self.proxy()
        for name, password in (("none", None), ("wrong", (proxy.USER, "wrong")), ("empty", (proxy.USER, "")),
                               ("wrong user", ("nobody", proxy.PASSWORD))):
            for path in PAGES:
                with self.subTest(name, path=path):
                    answer = request(server, path, password)
                    self.assertEqual(answer.status, 401)
                    self.assertIn("Basic", answer.headers["WWW-Authenticate"])
                    self.assertNotIn(b"procevent_", answer.body)

    def test_other_paths_are_not_found(self):
        server = self.proxy()
        for path in OTHER_PATHS:
            with self.subTest(path):
                self.assertEqual(request(server, path).status, 404)

    def test_plain_http_is_rejected(self):
        server = self.proxy()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=harness.DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            self.assertEqual(response.status, 400)
            self.assertNotIn(b"procevent_", response.read())

    def test_old_tls_is_rejected(self):
        server = self.proxy()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(request(server, "/metrics", version=version).status, 200, version)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version), self.assertRaisesRegex(ssl.SSLError, "ALERT_PROTOCOL_VERSION"):
                request(server, "/metrics", version=version)

    def test_limits_are_enforced(self):
        server = self.proxy()
        self.assertEqual(request(server, "/metrics", method="POST", body=b"x" * 2000).status, 413)
        self.assertEqual(request(server, "/metrics", headers={"X-Long": "x" * 5000}).status, 400)
        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda _: request(server, "/metrics", (proxy.USER, "wrong")).status, range(100)))
        self.assertEqual(set(answers), {401, 429})
        self.assertGreaterEqual(answers.count(401), 15)

    def test_forwarded_request(self):
        with socket.create_server(("127.0.0.1", 0)) as upstream:
            upstream.settimeout(harness.DEADLINE_SECONDS)
            server = self.enterContext(proxy.Proxy(upstream.getsockname()[1]))
            with concurrent.futures.ThreadPoolExecutor(1) as client:
                answer = client.submit(request, server, "//x/../metrics?a=b")
                connection, _ = upstream.accept()
                with connection:
                    received = connection.recv(65536).decode()
                    connection.sendall(b"HTTP/1.0 503 Service Unavailable\r\n\r\nthe cause\n")
                self.assertEqual(answer.result().status, 503)
                self.assertEqual(answer.result().body, b"the cause\n")
        self.assertRegex(received, r"^GET /metrics\?a=b HTTP/1.[01]\r\n")
        self.assertNotIn("Authorization", received)

    def test_exporter_is_down(self):
        server = self.enterContext(proxy.Proxy(harness.free_port()))
        self.assertEqual(request(server, "/metrics").status, 502)

    def test_modes_of_secret_files(self):
        server = self.proxy()
        for name, max_mode in (("key.pem", 0o600), ("htpasswd", 0o640)):
            mode = stat.S_IMODE(os.stat(f"{server.directory}/procevent_exporter/{name}").st_mode)
            self.assertEqual(mode & ~max_mode, 0, f"{name}: {mode:o}")

    def test_exporter_listens_on_loopback_only(self):
        self.assertEqual(listen_addresses(self.exporter.pid()), [f"0100007F:{self.exporter.port:04X}"])


if __name__ == "__main__":
    harness.main()
