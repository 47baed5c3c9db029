#!/usr/bin/env python3
"""Records an hour of two emulated machines with a Prometheus: `live_hosts.py FOLDER`. Run it as root.

Each machine runs the exporter of PROCEVENT_EXPORTER_BINARY on Debian's kernel, with the programs of hosts/NAME as its
load. The one storm, backup-job on web-1, is eight minutes old at the end of the hour. FOLDER keeps the data of
Prometheus and its configuration, and hour.json: the times of the hour and of the storm. take_pictures.py draws the
dashboards from them.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import fresh_root  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402
import prometheus  # noqa: E402
import yaml  # noqa: E402

PORT = 13675
CPUS = 1  # a second emulated CPU makes forks slower
MEGABYTES = 256
HOUR = 3600
NICE = -5  # other work does not slow the machines down
WARM_UP = 150  # seconds at least, from the start of the machines to the begin of the hour
STORM = (52 * 60, 61 * 60)  # seconds after the begin of the hour: panels of the last five minutes show it, too
AFTER = 15 * 60  # seconds that are recorded after the hour, in which the storm ends
PACKAGES = ("systemd-sysv", "kmod", "iproute2", "make", "python3-minimal", "busybox-static")
TOOLS = "/opt/busybox"  # static programs, which start several times faster under emulation
SERVICE = """\
[Unit]
After=procevent_exporter.service

[Service]
ExecStart=/opt/load/{name}
Environment=PATH={tools}:/usr/bin
WorkingDirectory=/tmp
{settings}

[Install]
WantedBy=multi-user.target
"""
TIMER = """\
[Timer]
OnCalendar={calendar}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
NETWORK = """\
[Unit]
Before=procevent_exporter.service
DefaultDependencies=no

[Service]
Type=oneshot
ExecStart=modprobe --all virtio_pci virtio_net
ExecStart=ip link set eth0 up
ExecStart=ip address add 10.0.2.15/24 dev eth0

[Install]
WantedBy=multi-user.target
"""
RESTARTED = "Restart=always\nRestartSec=2"


def hosts(storm):
    """The services of each machine, and the times at which a timer starts them."""
    begin, end = storm
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(begin))
    return {
        "web-1": {"access-report": (RESTARTED, None), "worker-pool": (RESTARTED, None),
                  "log-cleaner": ("", "minutely"), "backup-job": (f"RuntimeMaxSec={end - begin}", at)},
        "build-1": {"ci-runner": (RESTARTED, None), "code-indexer": (RESTARTED, None),
                    "flaky-agent": (f"{RESTARTED}\nStartLimitInterval=0", None)},
    }


def skip_reason():
    return machine.skip_reason() or prometheus.skip_reason()


def make_root(folder):
    """Makes the machines' common root folder and their kernel. Both are kept for the next run."""
    if (folder / "root").exists():
        return
    fresh_root.own_mounts()
    with fresh_root.FreshRoot() as root:
        root.run("apt-get", "-q", "install", "-y", "--no-install-recommends", *PACKAGES)
        for name in ("install_packages.sh", "packages.txt"):
            shutil.copy(ROOT / "deploy" / name, root.path / "tmp")
        root.run("/tmp/install_packages.sh", "runtime")
        root.run("mkdir", TOOLS)
        root.run("busybox", "--install", "-s", TOOLS)
        shutil.copy(machine.put_kernel(root), folder / "kernel")
        machine.copy_root(root.path, folder / "root.part")
    (folder / "root.part").rename(folder / "root")


def enable(root, unit, text, target):
    """Writes a systemd unit into a root folder. With a target, the machine starts it at boot."""
    units = root / "etc/systemd/system"
    (units / unit).write_text(text, encoding="utf-8")
    if target:
        wants = units / f"{target}.wants"
        wants.mkdir(exist_ok=True)
        (wants / unit).symlink_to(f"../{unit}")


def make_disk(folder, name, services):
    """Writes the disk image of the machine `name`."""
    with contextlib.ExitStack() as undo:
        root = folder / f"{name}.root"
        undo.callback(shutil.rmtree, root, ignore_errors=True)
        machine.copy_root(folder / "root", root)
        (root / "etc/hostname").write_text(f"{name}\n", encoding="utf-8")
        (root / "var/log/access.log").write_text("GET /\n" * 1000, encoding="utf-8")
        shutil.copy(harness.exporter_binary(), root / "usr/bin/procevent_exporter")
        (root / "etc/procevent_exporter").mkdir()
        shutil.copy(ROOT / "deploy/procevent_exporter.yml", root / "etc/procevent_exporter")
        enable(root, "procevent_exporter.service",
               (ROOT / "deploy/systemd/procevent_exporter.service").read_text(encoding="utf-8"), "multi-user.target")
        enable(root, "network.service", NETWORK, "multi-user.target")
        shutil.copytree(HERE / "hosts" / name, root / "opt/load")
        for service, (settings, calendar) in services.items():
            text = SERVICE.format(name=service, settings=settings, tools=TOOLS)
            enable(root, f"{service}.service", text, None if calendar else "multi-user.target")
            if calendar:
                enable(root, f"{service}.timer", TIMER.format(calendar=calendar), "timers.target")
        machine.make_disk(root, folder / f"{name}.disk")


def prometheus_config(folder, ports):
    """deploy/prometheus with the machines as targets."""
    rules = ROOT / "deploy/prometheus"
    content = yaml.safe_load((rules / "prometheus.yml").read_text(encoding="utf-8"))
    names = content["rule_files"]
    content["rule_files"] = [str(folder / name) for name in names]
    for name in names:
        shutil.copy(rules / name, folder)  # what the hour was recorded with
    content["scrape_configs"][0]["static_configs"] = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in ports.items()]
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return config


@contextlib.contextmanager
def running(command, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def record(folder):
    begin = int(time.time()) + WARM_UP
    begin += (240 - begin) % 300  # the end of the hour cuts off no label of an axis, which has one each five minutes
    storm = tuple(begin + seconds for seconds in STORM)
    loads = hosts(storm)
    for name, services in loads.items():
        make_disk(folder, name, services)
    hour = {"begin": begin, "end": begin + HOUR,
            "regions": [{"from": storm[0], "to": storm[1], "text": "storm: backup-job"}]}
    (folder / "hour.json").write_text(json.dumps(hour, indent=2) + "\n", encoding="utf-8")
    ports = {name: harness.free_port() for name in loads}
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(running(
                ["nice", "-n", str(NICE), *machine.command(
                    folder / "kernel", folder / f"{name}.disk", CPUS, MEGABYTES, "-nic",
                    f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:{PORT}")],
                folder / f"{name}.log"))
            for name, port in ports.items()]
        server = harness.free_port()
        processes.append(stack.enter_context(running(
            prometheus.command(folder, prometheus_config(folder, ports), server), folder / "prometheus.log")))
        print(f"machines: {ports}, Prometheus: 127.0.0.1:{server}, end: {time.ctime(hour['end'])}", flush=True)
        while time.time() < hour["end"] + AFTER:
            time.sleep(1)
            if any(process.poll() is not None for process in processes):
                raise AssertionError(f"a machine or Prometheus ended: see the logs in {folder}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    reason = skip_reason()
    if reason:
        sys.exit(f"cannot record: {reason}")
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    make_root(folder)
    record(folder)


if __name__ == "__main__":
    main()
