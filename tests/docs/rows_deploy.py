"""How test_commands.py runs the commands of installation and deployment."""

import containers
import kubernetes
import proxy
from runners import of_exporter, run, skipped

IN_TREE = [(" /usr/", " root/usr/"), (" /etc/", " root/etc/")]  # paths of an installation
INSTALLED = [("/etc/procevent_exporter", "deploy")]  # the configuration

COMMANDS = {
    r"sed -i -E 's/^comms:/groups:/; s/^( +)by_comm:/\1by_group:/' /etc/procevent_exporter/procevent_exporter.yml":
        run(instead=INSTALLED),
    "procevent_exporter check-config --config.file=/etc/procevent_exporter/procevent_exporter.yml":
        run(instead=INSTALLED, shows="limit: 500"),
    "grep cn_proc /proc/net/connector": run(shows="cn_proc"),
    **dict.fromkeys(containers.COMMANDS, skipped("tests/deploy/test_containers.py")),
    **dict.fromkeys(containers.TEST, skipped("compiles all tests")),
    **dict.fromkeys(("deploy/package.sh", "apt-get install ./build/release/package/*.deb",
                     "apt-get purge procevent-exporter"), skipped("tests/deploy/test_package.py")),
    "curl --silent --retry 5 --retry-connrefused localhost:13675/-/ready": of_exporter("^ready$"),
    "install -D build/release/procevent_exporter /usr/bin/procevent_exporter":
        run(instead=IN_TREE[:1], more="&& root/usr/bin/procevent_exporter --version", shows="^procevent_exporter "),
    "install -D -m 644 deploy/procevent_exporter.yml /etc/procevent_exporter/procevent_exporter.yml":
        run(instead=IN_TREE[1:]),
    "install -D -m 644 deploy/systemd/procevent_exporter.service /etc/systemd/system/procevent_exporter.service":
        run(instead=IN_TREE[1:]),
    **dict.fromkeys(("systemctl daemon-reload", "systemctl enable --now procevent_exporter",
                     "systemctl disable --now procevent_exporter"),
                    skipped("no systemd; tests/deploy/test_boot.py starts the unit")),
    **dict.fromkeys(("systemctl status", "systemctl reload procevent_exporter", "systemctl edit procevent_exporter"),
                    skipped("needs systemd")),
    "apt-get autoremove": run(more="--simulate"),
    "apt-get -y -o Dpkg::Options::=--force-confold install ./*.deb": skipped("tests/deploy/test_package.py"),
    proxy.INSTALL: run(more="--simulate"),
    **dict.fromkeys(proxy.SET_UP, skipped("tests/e2e/test_proxy.py")),
    **dict.fromkeys(kubernetes.IMAGE_COMMANDS, skipped("tests/deploy/test_containers.py builds it; no registry")),
    kubernetes.SET_IMAGE: skipped("kustomize is not in Debian; kubectl renders the overlay"),
    **dict.fromkeys(kubernetes.COMMANDS, skipped("no cluster")),
}
