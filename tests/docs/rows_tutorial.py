"""How test_commands.py runs the commands of the tutorial, of troubleshooting and of the FAQ."""

from runners import of_exporter, run, skipped


def any_name(tree, command):
    """Without NAME each series with a command matches. The reserved ones are there from the start."""
    of_exporter(r"(?m)^procevent_forks_total\{comm=")(tree, command.replace("NAME", ""))


FOLLOWED = skipped("test_tutorial.py follows the page")

COMMANDS = {
    **dict.fromkeys((
        "grep processes /proc/stat; sleep 1; grep processes /proc/stat",
        "curl -s http://localhost:13675/metrics >before; sleep 10; curl -s http://localhost:13675/metrics >after",
        "awk -F '} ' '/^procevent_(forks|execs)_total/ {n[$1] = $2 - n[$1]}"
        """ END {for (c in n) if (n[c] > 0) print n[c] / 10, c "}"}' before after | sort -rn | head -5""",
        "procevent_exporter watch --events --json --type=exec --duration=5s"
        """ | grep -o '"command":"[^"]*"' | sort | uniq -c | sort -rn | head -3""",
        "ps -o pid,ppid,user,unit,etime,args -p PID"), FOLLOWED),
    "curl -sS -o /dev/null -w '%{http_code} in %{time_total} s, %{size_download} bytes\\n'"
    " http://localhost:13675/metrics":
        of_exporter("^200 in "),
    """curl -s http://localhost:13675/metrics | grep '^procevent_[a-z_]*total{comm="NAME'""": any_name,
    "curl -s http://localhost:13675/metrics"
    " | grep -E '^procevent_(kernel_clones|unseen_clones|events_lost|events)_total'":
        of_exporter(r"(?m)^procevent_kernel_clones_total \d"),
    "grep processes /proc/stat": run(shows=r"^processes \d+$"),
}
