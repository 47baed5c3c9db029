"""How test_commands.py runs the commands of installation and deployment."""

import containers
import kubernetes
import proxy
from runners import run, skipped

INSTALLED = [("/etc/procevent_exporter", "deploy")]  # the configuration

COMMANDS = {
    r"sed -i -E 's/^comms:/groups:/; s/^( +)by_comm:/\1by_group:/' /etc/procevent_exporter/procevent_exporter.yml":
        run(instead=INSTALLED),
    "procevent_exporter check-config --config.file=/etc/procevent_exporter/procevent_exporter.yml":
        run(instead=INSTALLED, shows="limit: 500"),
    "grep cn_proc /proc/net/connector": run(shows="cn_proc"),
    **dict.fromkeys(containers.COMMANDS, skipped("tests/deploy/test_containers.py")),
    **dict.fromkeys(("deploy/package.sh", "apt-get install ./build/release/package/*.deb",
                     "apt-get purge procevent-exporter"), skipped("tests/deploy/test_package.py")),
    proxy.INSTALL: run(more="--simulate"),
    **dict.fromkeys(proxy.SET_UP, skipped("tests/e2e/test_proxy.py")),
    **dict.fromkeys(kubernetes.COMMANDS, skipped("no cluster")),
}
