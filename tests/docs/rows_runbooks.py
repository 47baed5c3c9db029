"""How test_commands.py runs the commands of the runbooks, rules and dashboards."""

from runners import of_exporter, run, skipped

THREADS = ("python3 -c 'import threading, time; [(time.sleep(0.3), threading.Thread(target=int).start())"
           " for _ in range(3)]'")

FORK_IN_A_THREAD = ("python3 -c 'import subprocess, threading;"
                    " threading.Thread(target=subprocess.run, args=([\"true\"],)).start()'")

# Prints its PID and then starts 7 processes at a time: three itself, three by a brief shell, and one by the second
# thread of a process.
BRIEF_PARENTS = ("echo loop $BASHPID; for i in $(seq 8); do sleep 0.2; sh -c '/bin/true; /bin/true; /bin/true; :';"
                 f" {FORK_IN_A_THREAD}; done")

WITH_ADDRESS = "sed \"s|docs/alerts.md#|${RUNBOOKS:?}#|\""
ADDRESS = "RUNBOOKS=https://git.example.org/procevent_exporter/docs/alerts.md"

COMMANDS = {
    ADDRESS: run(),
    f"{WITH_ADDRESS} deploy/prometheus/alerts.rules.yml >/etc/prometheus/alerts.rules.yml":
        run(instead=[(WITH_ADDRESS, f"{ADDRESS}; {WITH_ADDRESS}"), ("/etc/prometheus/", "")],
            more="&& promtool check rules alerts.rules.yml", shows="14 rules found"),
    f"kubectl kustomize . | {WITH_ADDRESS} | kubectl apply -f -":
        run(instead=[(WITH_ADDRESS, f"({ADDRESS}; {WITH_ADDRESS})"), ("kubectl apply -f -", "cat"),
                     ("kubectl kustomize .", "cat deploy/prometheus/alerts.rules.yml")],
            shows="runbook_url: https://git.example.org/procevent_exporter/docs/alerts.md#proceventdown"),
    "cp deploy/prometheus/recording.rules.yml deploy/prometheus/fleet.rules.yml /etc/prometheus/":
        run(instead=[("/etc/prometheus/", ".")]),
    "promtool query instant http://localhost:9090 'topk(1, instance_comm:procevent_forks:rate5m{instance=\"NODE\"})'":
        skipped("tests/deploy/test_rules.py queries it"),
    "procevent_exporter doctor --web.listen-address=127.0.0.1:13677": run(shows="(?m)^ok +subscription"),
    "curl -s http://localhost:13675/-/ready": of_exporter("^ready$"),
    "cp -r deploy/grafana/provisioning /etc/grafana/": run(instead=[("/etc/grafana/", ".")]),
    "install -d /var/lib/grafana/dashboards/procevent": run(instead=[("/var/lib/grafana", "grafana")]),
    "cp deploy/grafana/dashboards/*.json /var/lib/grafana/dashboards/procevent/":
        run(instead=[("/var/lib/grafana", "grafana")]),
    "procevent_exporter watch --events --type=exit --comm=NAME":
        run(instead=[("NAME", "'*'")], more="--duration=500ms", shows="(?m)^Time +Event +PID "),
    **{f"procevent_exporter watch --events --type=fork --comm=NAME --duration=5s | awk '{kind} {{print $3}}'"
       " | sort | uniq -c | sort -rn | head -3":
       run(instead=[("procevent_exporter", f"({cause}) & procevent_exporter"), ("--comm=NAME --duration=5s",
                                                                                "--duration=2s")],
           shows=r"(?m)^ +\d+ \d+$")
       for kind, cause in (('$2 == "fork" && !/-> thread/', "for i in 1 2 3; do sleep 0.3; done"),
                           ("/-> thread /", THREADS))},
    "procevent_exporter watch --events --type=fork --duration=5s | awk '$2 == \"fork\" && !/-> thread/ {p = $3;"
    " sub(/^[^>]*> /, \"\"); top[$1] = p in top ? top[p] : p; print top[$1]}' | sort | uniq -c | sort -rn | head -3":
        run(instead=[("procevent_exporter", f"({BRIEF_PARENTS}) & procevent_exporter"), ("5s", "4s")],
            shows=r"(?ms)^loop (\d+)$.*^ +5\d \1$"),
    "sysctl kernel.pid_max=4194304": run(instead=[("=4194304", "")], shows=r"kernel\.pid_max = \d+"),
    **dict.fromkeys(("journalctl -k", "journalctl _COMM=NAME", "journalctl -u procevent_exporter"),
                    skipped("needs systemd's journal")),
    "kill PID": run(instead=[("kill PID", "sleep 9 & kill $!")]),
    **dict.fromkeys(("ps -o pid,ppid,user,unit,args -p PID", "cat /proc/PID/cgroup"),
                    run(instead=[("PID", "$$")], shows="PID|:/")),
    **dict.fromkeys(("systemctl status procevent_exporter", "systemctl status PID",
                     "systemctl kill --signal=KILL UNIT", "systemctl stop UNIT", "systemctl mask --runtime --now UNIT",
                     "systemctl set-property --runtime UNIT TasksMax=1"), skipped("needs systemd")),
    "promtool check config deploy/prometheus/prometheus.yml": run(shows="3 rule files found"),
    **dict.fromkeys(("docker ps -a", "docker logs procevent_exporter",
                     "kubectl -n procevent get pods -o wide", "kubectl -n procevent logs POD --previous",
                     "kubectl -n procevent describe pod POD",
                     "docker exec procevent_exporter procevent_exporter watch --events --type=fork --duration=5s >FILE",
                     "kubectl -n procevent exec POD -- procevent_exporter watch --events --type=fork --duration=5s"
                     " >FILE"), skipped("no Docker daemon, no cluster")),
}
