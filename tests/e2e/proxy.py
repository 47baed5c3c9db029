"""Runs a real nginx with the site of deploy/nginx, set up by the commands of docs/security.md."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import harness

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SITE = "deploy/nginx/procevent_exporter.conf"
USER = "prometheus"
PASSWORD = "correct horse: battery"

# The commands of docs/security.md; the test of the pages allows no others. The password is read twice.
INSTALL = "apt-get install -y nginx openssl"
SET_UP = (
    "install -d /etc/nginx/procevent_exporter",
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj \"/CN=$(hostname)\""
    " -addext \"subjectAltName=DNS:$(hostname)\" -keyout /etc/nginx/procevent_exporter/key.pem"
    " -out /etc/nginx/procevent_exporter/certificate.pem",
    "install -m 640 -g www-data /dev/null /etc/nginx/procevent_exporter/htpasswd",
    "printf 'prometheus:%s\\n' \"$(openssl passwd -6)\" >/etc/nginx/procevent_exporter/htpasswd",
    "cp deploy/nginx/procevent_exporter.conf /etc/nginx/sites-enabled/",
    "nginx -t && nginx -s reload",
)

# The parts of Debian's nginx.conf that affect a site, with every path in the test's directory.
MAIN = """
user www-data;
worker_processes 1;
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 768; }}
http {{
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    gzip on;
    access_log {directory}/access.log;
    client_body_temp_path {directory}/temp;
    proxy_temp_path {directory}/temp;
    fastcgi_temp_path {directory}/temp;
    uwsgi_temp_path {directory}/temp;
    scgi_temp_path {directory}/temp;
    include {directory}/sites-enabled/*;
}}
"""


def skip_reason():
    """The reason to skip if nginx or openssl is not installed, else None."""
    missing = [name for name in ("nginx", "openssl") if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


class Proxy:
    """nginx in front of the exporter on `exporter_port`; stopped at the end of the `with`."""

    def __init__(self, exporter_port):
        self.port = harness.free_port()
        self._temporary = tempfile.TemporaryDirectory(prefix="procevent-nginx-")
        self.directory = self._temporary.name
        os.chmod(self.directory, 0o755)  # its workers are www-data
        os.mkdir(f"{self.directory}/sites-enabled")
        self.write("nginx.conf", MAIN.format(directory=self.directory))
        self.write(os.path.basename(SITE), self.site(exporter_port))
        self._nginx = ["nginx", "-p", self.directory, "-e", f"{self.directory}/error.log",
                       "-c", f"{self.directory}/nginx.conf"]
        self._process = subprocess.Popen(self._nginx, stdin=subprocess.DEVNULL)

    def __enter__(self):
        try:
            harness.wait_for("nginx to start", self.runs)
            for command in SET_UP:
                self.run(command)
            harness.wait_for("nginx to load the site", self.listens)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(harness.DEADLINE_SECONDS)
        finally:
            self._temporary.cleanup()

    @property
    def certificate(self):
        return f"{self.directory}/procevent_exporter/certificate.pem"

    def write(self, name, text):
        with open(f"{self.directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def site(self, exporter_port):
        """The repository's site with other ports and folders."""
        with open(os.path.join(ROOT, SITE), encoding="utf-8") as file:
            text = file.read()
        for word, instead in (("listen 13676 ", f"listen {self.port} "), ("/etc/nginx/", f"{self.directory}/"),
                              ("http://127.0.0.1:13675/", f"http://127.0.0.1:{exporter_port}/")):
            if word not in text:
                raise AssertionError(f"{SITE} lacks {word!r}, which this test replaces")
            text = text.replace(word, instead)
        return text

    def run(self, command):
        """Runs a command of docs/security.md on this nginx and its folder instead of the machine's."""
        for word, instead in (("nginx -", f"{' '.join(self._nginx)} -"), ("/etc/nginx", self.directory),
                              (SITE, f"{self.directory}/{os.path.basename(SITE)}")):
            command = command.replace(word, instead)
        # A new session has no terminal, so openssl reads the password from standard input.
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], input=f"{PASSWORD}\n{PASSWORD}\n", text=True,
                              cwd=self.directory, start_new_session=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.DEADLINE_SECONDS, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode}:\n{done.stdout}")

    def runs(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(f"{self.directory}/pid") > 0

    def listens(self):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
