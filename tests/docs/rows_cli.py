"""How test_commands.py runs the commands of the command line: serving, captures, decode, watch, doctor."""

import re

import pages
from runners import check_health, of_exporter, replay, run, serve

DEMO = [("FILE", "deploy/demo/demo.pcap")]
(README_OUTPUT,) = [block.text for block in pages.blocks(pages.read("README.md")) if block.language == "text"]
WATCH_TABLE = r"(?m)^Time +Event +PID "


def is_over(exporter):
    return "replay finished" in exporter.log()


COMMANDS = {
    "deploy/run.sh": serve,
    "deploy/run.sh --web.listen-address=127.0.0.1:13675": serve,
    "deploy/run.sh &": serve,
    "deploy/run.sh --demo": serve,
    "curl -s localhost:13675/metrics"
    " | grep -E '^procevent_(forks_total.*storm|exit_signals_total.*SIGSEGV|events_lost_total)'":
        of_exporter(f"^{re.escape(README_OUTPUT)}$", "--source.replay=DEMO", "--source.replay-speed=max",
                    ready=is_over),
    "procevent_exporter --help": run(shows=r"(?m)^  --source\.receive-buffer SIZE .*(\n .*)?\(default: 32MiB\)"),
    "procevent_exporter check-config --config.file=FILE": run(instead=[("FILE", "deploy/procevent_exporter.yml")]),
    "PROCEVENT_LOG_LEVEL=warning procevent_exporter check-config --source.receive-buffer=64MiB"
    " --web.listen-address=localhost:13675": run(shows="receive_buffer: 64MiB  # flag --source.receive-buffer"),
    "procevent_exporter doctor": run(shows="(?m)^ok +subscription"),
    "procevent_exporter doctor --json": run(shows='"ok": ?true'),
    "procevent_exporter record": run(more="x.pcap --duration=300ms", shows="recording finished"),
    "kill -HUP PID": run(instead=[("kill -HUP PID", "sleep 9 & kill -HUP $!")]),
    "kill -l": run(shows="SIGSEGV"),
    "procevent_exporter healthcheck": check_health,
    "procevent_exporter record FILE --duration=10s":
        run(instead=[("FILE", "x.pcap"), ("10s", "300ms")], shows="recording finished"),
    "procevent_exporter --source.replay=FILE": replay,
    "procevent_exporter --source.replay=deploy/demo/demo.pcap --source.replay-speed=max": replay,
    "procevent_exporter --source.replay=FILE --source.replay-speed=max --source.replay-loop": replay,
    "tshark -r FILE": run(instead=DEMO, more="-c 3", shows="Netlink"),
    "procevent_exporter decode FILE": run(instead=[("FILE", "noop.pcap")], shows='^{"control":"noop"}$'),
    "procevent_exporter decode FILE | grep '\"record\":\"process\"'": run(instead=DEMO, shows='"comm":"kthreadd"'),
    "procevent_exporter decode --hex FILE": run(instead=[("FILE", "noop.hex")], shows='^{"control":"noop"}$'),
    "procevent_exporter encode FILE": run(instead=[("FILE", "noop.json")], shows="^10000000010000"),
    "procevent_exporter watch --events": run(more="--duration=500ms", shows=WATCH_TABLE),
    "procevent_exporter watch --events --type=fork,exec,exit --comm='kworker*'":
        run(more="--duration=500ms", shows=WATCH_TABLE),
    "procevent_exporter watch --events --type=exit FILE": run(instead=DEMO, shows=r"(?m)^\S+ exit +\d+ status 0 "),
    "procevent_exporter watch --events --type=exec,exit --comm=as FILE":
        run(instead=DEMO, shows=r"(?m)^\S+ exec +\d+ executes +as +0$"),
    "procevent_exporter watch --events --json --duration=10s":
        run(instead=[("10s", "2s --type=exec & for i in 1 2 3; do sleep 0.3; done; wait")],
            shows='"event":"exec".*"command":'),
}
