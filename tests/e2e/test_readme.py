"""Tests README.md: runs each command, queries each expression, and checks each YAML block.

Unknown content fails the test, so that nothing stays untested. A new command needs a row in COMMANDS, an expression
without a result one in MAY_BE_EMPTY, and another kind of YAML one in YAML.
"""

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import containers
import harness
import kubernetes
import prometheus
import proxy
import readme

ROOT = proxy.ROOT
TREE = ("CMakeLists.txt", "CMakePresets.json", "cmd", "config", "core", "deploy", "exporter", "tests")
SECONDS = 60  # for one command
CHECKED = ("sh", "promql", "yaml", "")  # languages that this test checks
TESTED_ELSEWHERE = ("cpp", "cmake")  # by tests/library
FOREIGN = ("rust",)  # examples for comparison, which are not compiled
NOOP = bytes.fromhex("10000000010000000000000000000000")  # a control message, for each input format
PICTURES = ("kernel --events-->",)  # beginnings of blocks without a language that contain no commands


# --- Runners of a command. Each returns runner(tree, command). ---

def skipped(reason):
    """Does not run the command, and prints the reason."""
    return lambda tree, command: print(f"not run ({reason}): {command}")


def run(more="", shows="", instead=()):
    """Runs the command after replacing placeholders (`instead`), with additional arguments (`more`)."""

    def runner(tree, command):
        for word, replacement in instead:
            command = command.replace(word, replacement)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{command} {more}"], cwd=tree.root, text=True,
                              env=tree.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        if done.returncode != 0 or not re.search(shows, done.stdout):
            raise AssertionError(f"{command}: exit {done.returncode}, missing {shows!r}:\n{done.stdout}")

    return runner


def serve(tree, command):
    """Runs deploy/run.sh: the printed command shows the metrics, and SIGTERM ends the script with 0."""
    address = f"127.0.0.1:{harness.free_port()}"
    command = command.removesuffix("&").replace("127.0.0.1:13675", address)
    if address not in command:
        command += f" --web.listen-address={address}"
    script = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=tree.root, env=tree.environment(stubs=True),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with script, contextlib.ExitStack() as stack:
        stack.callback(script.send_signal, signal.SIGTERM)
        printed = []
        for line in script.stdout:  # ends with the script
            printed.append(line)
            if line.strip().startswith("curl "):
                break
        else:
            raise AssertionError(f"{command}: no URL was printed:\n{''.join(printed)}")
        run(shows=r"(?m)^procevent_exporter_build_info\{")(tree, line.strip())
        script.send_signal(signal.SIGTERM)
        if script.wait(harness.DEADLINE_SECONDS) != 0:
            raise AssertionError(f"{command}: exit {script.returncode}:\n{''.join(printed)}{script.stdout.read()}")


def replay(tree, command):
    """Runs the exporter with the demo capture: it serves, and SIGTERM ends it with 0."""
    flags = command.replace("FILE", os.path.join(tree.root, "deploy/demo/demo.pcap")).split()[1:]
    with harness.Exporter(*flags) as exporter:
        exporter.wait_ready()
        if exporter.scrape().value("procevent_replayed") != 1:
            raise AssertionError(f"{command}: no replay")


def check_health(tree, command):
    with harness.Exporter() as exporter:
        exporter.wait_ready()
        run(more=f"--web.listen-address=127.0.0.1:{exporter.port}", shows="^healthy$")(tree, command)


THREADS = ("python3 -c 'import threading, time; [(time.sleep(0.3), threading.Thread(target=int).start())"
           " for _ in range(3)]'")

# Prints its PID and then starts 5 processes at a time: two itself, and three by a brief shell.
BRIEF_PARENTS = ("echo loop $BASHPID; for i in $(seq 12); do sleep 0.2; sh -c '/bin/true; /bin/true; /bin/true; :';"
                 " done")


COMMANDS = {
    "deploy/run.sh": serve,
    "deploy/run.sh --web.listen-address=127.0.0.1:13675": serve,
    "deploy/run.sh &": serve,
    "deploy/run.sh --demo": serve,
    "procevent_exporter record FILE --duration=10s":
        run(instead=[("FILE", "x.pcap"), ("10s", "300ms")], shows="recording finished"),
    "procevent_exporter --source.replay=FILE": replay,
    "procevent_exporter --source.replay=FILE --source.replay-speed=max --source.replay-loop": replay,
    "tshark -r FILE": run(instead=[("FILE", "deploy/demo/demo.pcap")], more="-c 3", shows="Netlink"),
    "tests/run.sh": skipped("contains this test"),
    "procevent_exporter healthcheck": check_health,
    **dict.fromkeys(containers.COMMANDS, skipped("tests/deploy/test_containers.py")),
    "grep cn_proc /proc/net/connector": run(shows="cn_proc"),
    "procevent_exporter doctor": run(shows="(?m)^ok +subscription"),
    "procevent_exporter doctor --json": run(shows='"ok": ?true'),
    "PROCEVENT_LOG_LEVEL=warn procevent_exporter check-config --source.receive-buffer=64MiB"
    " --web.listen-address=localhost:13675": run(shows="receive_buffer: 64MiB  # flag --source.receive-buffer"),
    "procevent_exporter --help": run(shows=r"(?m)^  --source\.receive-buffer SIZE .*(\n .*)?\(default: 32MiB\)"),
    "procevent_exporter check-config --config.file=FILE": run(instead=[("FILE", "deploy/procevent_exporter.yml")]),
    "procevent_exporter watch --events": run(more="--duration=500ms", shows="(?m)^Time +Event +PID "),
    "procevent_exporter watch --events --type=fork,exec,exit --comm='kworker*'":
        run(more="--duration=500ms", shows="(?m)^Time +Event +PID "),
    "procevent_exporter watch --events --json --duration=10s":
        run(instead=[("10s", "2s --type=exec & for i in 1 2 3; do sleep 0.3; done; wait")],
            shows='"event":"exec".*"command":'),
    "procevent_exporter watch --events --type=exit --comm=NAME":
        run(instead=[("NAME", "'*'")], more="--duration=500ms", shows="(?m)^Time +Event +PID "),
    **{f"procevent_exporter watch --events --type=fork --comm=NAME --duration=5s | awk '{kind} {{print $3}}'"
       " | sort | uniq -c | sort -rn | head -3":
       run(instead=[("procevent_exporter", f"({cause}) & procevent_exporter"), ("--comm=NAME --duration=5s",
                                                                                "--duration=2s")],
           shows=r"(?m)^ +\d+ \d+$")
       for kind, cause in (('$2 == "fork"', "for i in 1 2 3; do sleep 0.3; done"), ("/ thread /", THREADS))},
    "procevent_exporter watch --events --type=fork --duration=5s | awk '$2 == \"fork\" {top[$5] = $3 in top ? top[$3] :"
    " $3; print top[$5]}' | sort | uniq -c | sort -rn | head -3":
        run(instead=[("procevent_exporter", f"({BRIEF_PARENTS}) & procevent_exporter"), ("5s", "3s")],
            shows=r"(?ms)^loop (\d+)$.*^ +[3-6]\d \1$"),
    "kill PID": run(instead=[("kill PID", "sleep 9 & kill $!")]),
    **dict.fromkeys(("ps -o pid,ppid,user,unit,args -p PID", "cat /proc/PID/cgroup"),
                    run(instead=[("PID", "$$")], shows="PID|:/")),
    **dict.fromkeys(("systemctl status PID", "systemctl kill --signal=KILL UNIT", "systemctl stop UNIT",
                     "systemctl mask --runtime --now UNIT", "systemctl set-property --runtime UNIT TasksMax=1",
                     "cat /sys/fs/cgroup/PATH/pids.max"), skipped("needs systemd")),
    "procevent_exporter decode FILE": run(instead=[("FILE", "noop.pcap")], shows='^{"control":"noop"}$'),
    "procevent_exporter decode --hex FILE": run(instead=[("FILE", "noop.hex")], shows='^{"control":"noop"}$'),
    "procevent_exporter encode FILE": run(instead=[("FILE", "noop.json")], shows="^10000000010000"),
    "cmake --preset release -B build/bench -DPROCEVENT_TESTS=ON && cmake --build build/bench":
        run(more="--target tiny", shows="tests/bench/tiny", instead=[("build/bench", "build/fresh")]),  # not all
    "python3 tests/bench/compare.py --build build/bench --rounds 5 --kinds fork,vfork":
        run(more="--rounds 1 --count 500", shows=r"\| vfork \|"),
    "python3 tests/bench/scrape_cost.py --build build/bench":
        run(more="--scrapes 2 --series 500", shows=r"\| procevent_exporter, 500 \|"),
    "python3 tests/bench/fleet.py --build build/bench":
        skipped("tests/deploy/test_fleet.py"),
    "promtool check config deploy/prometheus/prometheus.yml": run(shows="3 rule files found"),
    "sed -i 's|README.md#|https://git.example.org/procevent_exporter/README.md#|' /etc/prometheus/alerts.rules.yml":
        run(instead=[("/etc/prometheus", "deploy/prometheus")],
            more="&& promtool check rules deploy/prometheus/alerts.rules.yml", shows="14 rules found"),
    **dict.fromkeys(("journalctl -u procevent_exporter", "docker logs procevent_exporter",
                     "kubectl -n procevent get pods -o wide", "kubectl -n procevent logs POD --previous",
                     "kubectl -n procevent describe pod POD",
                     "docker exec procevent_exporter procevent_exporter watch --events --type=fork --duration=5s >FILE",
                     "kubectl -n procevent exec POD -- procevent_exporter watch --events --type=fork --duration=5s"
                     " >FILE"), skipped("no such service, container or pod")),
    "build/bench/tests/bench/exit_status --runs 3000":
        run(more="--runs 3 --kind thread_exit", shows=r"(?m)^\| thread SYS_exit\(5\)"),
    "build/bench/tests/bench/ledger_bench": run(more="--benchmark_min_time=0.001", shows="Benchmark"),
    **dict.fromkeys(("cmake --preset release && cmake --build --preset release",
                     "cmake --install build/release --component library --prefix /usr/local"),
                    skipped("tests/library does it")),
    **dict.fromkeys(("deploy/package.sh", "apt-get install ./build/release/package/*.deb",
                     "apt-get purge procevent-exporter"), skipped("tests/deploy/test_package.py")),
    proxy.INSTALL: run(more="--simulate"),
    **dict.fromkeys(proxy.SET_UP, skipped("test_proxy.py")),
    **dict.fromkeys(kubernetes.COMMANDS, skipped("no cluster")),
}

# Alert expressions, which return nothing on a healthy exporter.
MAY_BE_EMPTY = {
    "sum by (instance) (increase(procevent_events_lost_total[5m])) > 0",
    "procevent_up == 0",
}

# Metrics with queries in docs/metrics.md that look for rare values, and may return nothing.
RARE_VALUES = {
    "procevent_groups", "procevent_groups_overflowed_total", "procevent_exporter_config_last_reload_successful",
    "procevent_exporter_config_restart_pending", "procevent_credential_changes_total", "procevent_events_lost_total",
    "procevent_exporter_http_requests_refused_total", "procevent_subscription_restarts_total",
    "procevent_up", "procevent_loss_exact", "procevent_messages_rejected_total", "procevent_pending",
    "procevent_processes_dropped_total", "procevent_ptrace_total", "procevent_replayed",
    "procevent_snapshot_timestamp_seconds", "procevent_socket_drops_total",
    "procevent_threads", "process_open_fds"}



# --- Checks of YAML. Each is check(directory, text). ---

def check_with(*command):
    def check(directory, text):
        file = os.path.join(directory, "block.yml")
        for named in set(re.findall(r"/etc/prometheus/[\w./-]+", text)):  # promtool requires the files
            open(os.path.join(directory, os.path.basename(named)), "w", encoding="ascii").close()
        with open(file, "w", encoding="utf-8") as block:
            block.write(kubernetes.without_discovery(text).replace("/etc/prometheus", directory))
        done = subprocess.run([word.format(file=file, exporter=harness.exporter_binary()) for word in command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stdout}\nof:\n{text}")

    return check


def check_inhibitions(_, text):
    """Inhibitions name existing alerts. Alertmanager is not run."""
    with open(os.path.join(ROOT, "deploy/prometheus/alerts.rules.yml"), encoding="utf-8") as file:
        alerts = set(re.findall(r"(?m)^ +- alert: (\w+)$", file.read()))
    named = re.findall(r"Procevent\w+", text)
    if not named or not alerts.issuperset(named):
        raise AssertionError(f"unknown alerts {set(named) - alerts}")


OWN = check_with("{exporter}", "check-config", "--config.file={file}")
YAML = {
    **dict.fromkeys(("global", "scrape_configs", "rule_files"), check_with("promtool", "check", "config", "{file}")),
    "remote_write": check_with("promtool", "check", "config", "--agent", "{file}"),
    "groups": check_with("promtool", "check", "rules", "{file}"),
    "apiVersion": kubernetes.render,
    "inhibit_rules": check_inhibitions,
    **dict.fromkeys(("web", "source", "reader", "processes", "name_groups", "histograms", "log"), OWN),
}


def yaml_kind(text):
    """The first key of the text."""
    match = re.search(r"^([\w-]+):", text, re.MULTILINE)
    return match.group(1) if match else None


# --- Content of README.md. ---

def document():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


def blocks_of(language):
    return [block for block in readme.blocks(document()) if block.language == language]


def all_commands(text):
    found = [command for block in readme.blocks(text) if block.language == "sh"
             for command in readme.commands(block.text)]
    return list(dict.fromkeys(found + readme.inline_commands(text)))


def unknown(text):
    """One line for each untested part."""
    found = [f"command: {command}" for command in all_commands(text) if command not in COMMANDS]
    for block in readme.blocks(text):
        if block.language == "yaml" and yaml_kind(block.text) not in YAML:
            found.append(f"line {block.line}: unknown kind of YAML")
        elif block.language == "" and not block.text.strip().startswith(PICTURES):
            found.append(f"line {block.line}: block without a language")
        elif block.language not in CHECKED + TESTED_ELSEWHERE + FOREIGN:
            found.append(f"line {block.line}: unknown language {block.language}")
    return found


class Coverage(unittest.TestCase):
    def test_all_content_is_known(self):
        self.assertEqual(unknown(document()), [], "see the head of test_readme.py")

    def test_unknown_content_is_found(self):
        for name, planted in (("command", "```sh\ntests/run.sh\nrm -r x  # gone\n```"),
                              ("second of two", "```sh\ntests/run.sh && rm x\n```"),
                              ("in a sentence", "Then `deploy/run.sh --no-such-flag` serves."),
                              ("YAML", "```yaml\nservices:\n  a: b\n```"), ("list", "```yaml\n- a\n```"),
                              ("language", "```json\n{}\n```"), ("none", "```\n$ rm x\n```")):
            with self.subTest(name):
                self.assertEqual(len(unknown(planted)), 1)

    def test_parser(self):
        self.assertEqual(readme.commands("a 'b # c' d#e  # f\n# g\n\nh \\\n  i\n"), ["a 'b # c' d#e", "h i"])
        self.assertEqual(readme.expressions("# a\nb{c=\"#\"}  # d\n  e\n/ (f\n  + g)\nh\n"),
                         ['b{c="#"}', "e / (f + g)", "h"])
        self.assertEqual(readme.inline_commands("`grep a\nb` `grep`\n| `grep c` |\n```sh\n`grep d`\n```\n"),
                         ["grep a b"])
        with self.assertRaises(ValueError):
            readme.blocks("```sh\na\n")


class Tree:
    """A copy of the sources with the binaries of this build at the paths of README's commands."""

    def __init__(self, root):
        self.root = root
        for name in TREE:
            copy = shutil.copytree if os.path.isdir(os.path.join(ROOT, name)) else shutil.copy
            copy(os.path.join(ROOT, name), os.path.join(root, name))
        tools = os.path.dirname(harness.program("PROCEVENT_STORM"))
        for folder in ("build/release", "build/bench"):
            self._link(harness.exporter_binary(), f"{folder}/procevent_exporter")
            for name in ("storm", "tiny", "bare_loop", "exit_status", "ledger_bench"):
                self._link(os.path.join(tools, name), f"{folder}/tests/bench/{name}")
        self._link(shutil.which("true"), "stubs/cmake")
        self._put("noop.json", b'{"control":"noop"}')
        self._put("noop.hex", NOOP.hex().encode())
        self._put("noop.pcap", struct.pack("<IHHiIII8xII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 253, 16 + len(NOOP),
                                           16 + len(NOOP)) + struct.pack(">HH10xH", 4, 824, 11) + NOOP)

    def _put(self, name, content):
        with open(os.path.join(self.root, name), "wb") as file:
            file.write(content)

    def _link(self, target, name):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def environment(self, stubs=False):
        """`stubs`: replaces cmake by a program that does nothing."""
        first = [os.path.join(self.root, "stubs")] if stubs else []
        return {**os.environ, "PATH": ":".join([*first, os.path.join(self.root, "build/release"), os.environ["PATH"]])}


class Commands(harness.LiveTest):
    def test_commands_run(self):
        with tempfile.TemporaryDirectory(prefix="procevent-readme-") as directory:
            tree = Tree(directory)
            for command in filter(COMMANDS.get, all_commands(document())):
                with self.subTest(command):
                    COMMANDS[command](tree, command)


class Yaml(unittest.TestCase):
    def test_blocks_are_valid(self):
        harness.require(prometheus.skip_reason())
        for block in blocks_of("yaml"):
            with self.subTest(line=block.line), tempfile.TemporaryDirectory(prefix="procevent-readme-") as directory:
                YAML[yaml_kind(block.text)](directory, block.text)


class Expressions(harness.LiveTest):
    def test_expressions_return_data(self):
        harness.require(prometheus.skip_reason())
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            with prometheus.Prometheus(exporter.port) as server:
                server.wait_scraping()
                for _ in range(2):  # a rate needs two scrapes with the row
                    self.make_events()
                    self.await_scrape(server)
                names = set(server.api("label/__name__/values"))
                for block in blocks_of("promql"):
                    for expression in readme.expressions(block.text):
                        with self.subTest(expression):
                            self.assertEqual(set(re.findall(r"\bprocevent_\w+", expression)) - names, set())
                            rows = server.query(expression)
                            self.assertTrue(rows or expression in MAY_BE_EMPTY, "no result")
                self.check_catalogue(server, names)

    def check_catalogue(self, server, names):
        """Each query of docs/metrics.md returns data, or is for a rare value."""
        with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
            blocks = [block for block in readme.blocks(file.read()) if block.language == "promql"]
        self.assertGreater(len(blocks), 40)
        empty = set()
        for block in blocks:
            for expression in readme.expressions(block.text):
                with self.subTest(expression):
                    known = {name for name in re.findall(r"\bprocevent_\w+", expression)}
                    self.assertEqual(known - names, set())
                    if not server.query(expression):
                        empty.add(re.findall(r"\bproce\w+", expression)[0])
        self.assertEqual(empty - RARE_VALUES, set(), "no result")

    def make_events(self):
        """Causes every kind of event that README.md queries."""
        with harness.Storm("exec", 50) as storm:
            storm.wait()
        subprocess.run(["false"], check=False)
        subprocess.run(["bash", "-c", "ulimit -c 0; kill -SEGV $$"], check=False)

    def await_scrape(self, server):
        now = time.time()
        harness.wait_for("another scrape", lambda: server.query(f"timestamp(up) > {now:.3f}"))


if __name__ == "__main__":
    harness.main()
