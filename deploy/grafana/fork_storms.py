"""The dashboard of fork storms: which commands fork, how fast, how processes exit, and which events were lost."""

from parts import (AVERAGED, BAD, BUSY, EVENTS, EXITS, FAILED, FORKS, FULL, LOST, MACHINE, MOST, NAMELESS, PER_MINUTE,
                   PROGRAMS, TEN_HIGHEST, TEN_LOWEST, THREADS, WHOLE, among, commands, dashboard, each, gauge, graph,
                   growth, heatmap, highest, increase, line, machines, named, of, or_none, or_zero, overall, override,
                   peak, per_second, quantiles, rate, recorded, share, stat, table, text, top_or_none, total)

ENDED = "instance_comm_outcome:procevent_exits:rate5m"
COMPLETENESS = "instance:procevent_completeness:ratio_rate1h"
ATTRIBUTIONS = "procevent_attributions_total"
LIFETIME = "procevent_process_lifetime_seconds_bucket"
FORK, DUMPED, SIGNALLED, SECOND = 'event="fork"', 'event="coredump"', 'outcome="signal"', 'window="1s"'
NAMED_SHARE = "Share of the rows beside it that have a command's name. The others are in the rows in brackets."

COMPLETE = """
- **Received + lost = generated.** The kernel numbers its events on each CPU, so the number of lost events is exact.
- **Unsubscribed**: without a working subscription nothing is received, and nothing is counted as lost. That time is
  part of the completeness, with the event rate of other times.
- **Counts by command + retired + pending = host totals.** A command without activity is retired: its series end, its
  counts remain in `procevent_retired_total`.
- **Named**: a program that exits before its name is read is counted, under the reserved name
  `[unattributed programs]`.
"""


def fork_storms():
    return dashboard(
        "procevent-fork-storms", "Fork storms",
        "Which commands fork, how fast, how processes exit, and which events were lost.",
        ("Overview", *overview(), (6, by_machine())),
        ("Forks", by_command(
            "Forks", "Top forkers", FORKS, "forks", "New processes by the command that forked them.",
            speed(15, "Forks", FORKS, "fork", "New processes, without threads"))),
        ("Programs executed", by_command(
            "Programs executed", "Top programs", PROGRAMS, "execs", "Programs executed by their name.",
            speed(15, "Programs executed", PROGRAMS, "exec", "Programs executed"))),
        ("Threads started", by_command(
            "Threads started", "Top thread starters", THREADS, "threads_started",
            "New threads by the command that started them, without the first thread of a process.",
            threads())),
        ("Exits and crash loops",
         (10, [(3, named_exits()), (7, outcomes())],
          pairs("Signals by command", "signal", "Signal",
                "Processes ended by a signal, in the time range. SIGSEGV, SIGABRT, SIGBUS: a crash. SIGKILL: possibly "
                "the OOM killer."),
          pairs("Exit codes by command", "code", "Code",
                "Processes ended with a status other than 0, in the time range. 127: program not found. 126: program "
                "not executable.")),
         (9, crash_loops(), failures()),
         (8, speed(8, "Exits", EXITS, "exit", "Exits of processes"), without_exec(), dumps())),
        ("Processes",
         (9, lifetimes(), quantiles(8, "Lifetimes, percentiles", "process lifetimes", LIFETIME)),
         (7, alive(), pids_in_use())),
        ("Completeness and loss",
         (8, text(9, "Accounting of events", COMPLETE), completeness(), received()),
         (8, unsubscribed(), audit(), names_resolved())))


def host(activity):
    return of(f"instance:procevent_{activity}:rate5m")


def overview():
    used = share(each(of("procevent_threads")), each(of("procevent_pid_max")))
    bad, exits = f"sum({host('failures')})", f"sum({host('exits')})"
    lately = "per second over the last five minutes, on all selected machines."
    return (
        (3,
         stat(4, "Forks", FORKS, f"New processes {lately}", f"sum({host('forks')})", decimals=1),
         stat(4, "Peak forks, 1 s", FORKS,
              "The most new processes in any second of the last minute, on any selected machine.",
              f"max({of('instance:procevent_forks_peak:max')})", BUSY),
         stat(4, "Programs executed", PROGRAMS, f"Programs executed {lately}", f"sum({host('execs')})", decimals=1),
         stat(4, "Threads started", THREADS, f"New threads {lately}", f"sum({host('threads_started')})", decimals=1),
         stat(4, "Processes alive", "locale", "Processes alive now, on all selected machines that answer.",
              f"sum({each(of('procevent_processes'))})", decimals=0),
         stat(4, "PIDs in use", "percentunit",
              "Processes and threads alive as a share of kernel.pid_max. At 100 % forks fail. Shows the machine with "
              "the highest value.", f"max({used})", FULL, decimals=1)),
        (3,
         stat(4, "Failed exits", "percentunit", f"Share of the process exits of the last five minutes {FAILED}.",
              or_zero(share(bad, exits), exits), decimals=1),
         stat(4, "Killed by a signal", "locale", "Processes killed by a signal in the time range.",
              f"sum({increase('procevent_host_exits_total', SIGNALLED)})", decimals=0),
         stat(4, "Core dumps", "locale", "Core dumps in the time range, whether or not a file was written.",
              f"sum({increase(EVENTS, DUMPED)})", decimals=0),
         stat(4, "Programs named", "percentunit",
              "Share of programs that got a name before they exited, in the last 15 minutes. Shows the machine "
              "with the lowest value.", f"min({of('instance:procevent_named:ratio_rate15m')})", MOST, decimals=1),
         stat(4, "Completeness", "percentunit",
              "Share of all events of the last hour that were counted. Events during time without a subscription are "
              "estimated from the rate at other times. Shows the machine with the lowest value. Not available for "
              "replays, or with a narrowed source.events.",
              f"min({of(COMPLETENESS)})", WHOLE, decimals=2),
         stat(4, "Received ratio", "percentunit",
              "Share of the kernel's events that were received in the time range, while subscribed. The value is "
              "exact, computed from the kernel's sequence numbers.",
              received_of(increase, "sum"), WHOLE, decimals=2)))


def received_of(grown, over=""):
    """The share of events that were received, of each machine or of all, where the losses are known."""
    losses = total("instance", grown(LOST))
    events = f"{over}({total('instance', grown(EVENTS))} and {losses})"
    return f"1 - {share(f'{over}({losses})', f'({events} + {over}({losses}))')}"


def by_machine():
    by = "instance"
    ranking = f"topk(10, {highest(by, host('forks'))} + {highest(by, host('threads_started'))})"

    def column(expression):
        return among(expression, ranking, by)

    wrap = highest(by, of("instance:procevent_pid_wrap_seconds:rate15m"))
    panel = table(
        24, "Busiest machines", "count:/s",
        "Rates over the last five minutes, the most forks in any second of the last minute, and the time until a PID "
        "is reused at the rate of the last 15 minutes. Shows the ten machines that start the most processes and "
        "threads.",
        {"instance": ("Machine", 180)},
        {"Forks": column(highest(by, host("forks"))),
         "Peak, 1 s": column(highest(by, of("instance:procevent_forks_peak:max"))),
         "Programs": column(highest(by, host("execs"))),
         "Threads": column(highest(by, host("threads_started"))),
         "Exits": column(highest(by, host("exits"))),
         "Failed exits": column(highest(by, host("failures"))),
         "PID space wraps in": column(wrap)})
    return override(gauge(panel, "Forks", custom__width=240), "PID space wraps in", unit="s", custom__width=170)


# --- By command ---

def by_command(title, top_title, unit, activity, what, over_time):
    """A line of a table of now and a graph of the time range, both of the same recorded series. `over_time`: a graph
    below without the delay of five-minute averages."""
    series = f"instance_comm:procevent_{activity}:rate5m"
    ranking = f"topk(15, {total('comm', of(series))})"
    now = table(9, top_title, "count:/s",
                f"{what} Rate over the last five minutes. Shows the 15 commands with the highest rate. Names in "
                "brackets stand for several commands and are explained in docs/metrics.md.",
                {"comm": ("Command", 190)}, {"Rate": or_none("comm", ranking)})
    return (16,
            [(3, named_share(9, title, named(f"sum({of(series, NAMELESS)})", f"sum({of(series)})"))),
             (13, gauge(now, "Rate"))],
            [(9, commands(15, f"{title} by command", unit,
                          f"{what} Shows the ten commands with the highest rate in the time range. {AVERAGED}",
                          top_or_none(10, "comm", total("comm", recorded(of(series)))))),
             (7, over_time)])


def named_share(width, title, expression):
    return stat(width, f"{title}, named share", "percentunit", f"{NAMED_SHARE} Over the last five minutes.",
                expression, MOST, decimals=1, noValue="none counted")


def speed(width, title, unit, event, what):
    """The average that rate() returns, and the peaks that it hides."""

    def worst(window):
        return f"max({peak(f'procevent_{event}s_peak_per_second', window)})"

    panel = graph(
        width, f"{title}, peak and average", unit,
        f"{what}, on the machine with the highest rate: the average between scrapes, and the peaks in any 1 s and any "
        "100 ms of the last minute, which an average hides. The peaks begin with a storm and end one minute after it.",
        line(worst('window="100ms"'), "peak in 100 ms"), line(worst(SECOND), "peak in 1 s"),
        line(f"max({total('instance', rate(f'procevent_host_{event}s_total'))})", "average"),
        colors=(("peak in 100 ms", "purple"), ("peak in 1 s", "yellow"), ("average", "blue")))
    return override(panel, "average", custom__fillOpacity=40, custom__lineWidth=2)


def threads():
    return graph(15, "Threads started by machine", THREADS,
                 f"New threads, without the first thread of a process. Average between scrapes. {TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_host_threads_started_total"))))


# --- Exits ---

def named_exits():
    return named_share(8, "Exits", named(f"sum({of(ENDED, NAMELESS)})", f"sum({of(ENDED)})"))


def outcomes():
    return graph(8, "Exits by outcome", EXITS,
                 "Process exits: success (status 0), failure (another status), or signal. Average between scrapes.",
                 line(total("outcome", rate("procevent_host_exits_total")), "{{outcome}}"), stacked=True,
                 colors=(("success", "blue"), ("failure", "yellow"), ("signal", "purple")))


def pairs(title, label, head, description):
    by = f"comm, {label}"
    ranking = f"topk(15, {total(by, growth(by, f'procevent_exit_{label}s_total'))} > 0)"
    panel = table(8, title, "locale",
                  f"{description} Shows the 15 pairs with the highest number. other: pairs beyond the limit.",
                  {"comm": ("Command", 185), label: (head, 95)}, {"Exits": or_none("comm", ranking)}, decimals=0)
    return gauge(panel, "Exits")


def crash_loops():
    by = "instance, comm"
    bad, exits = total(by, overall(recorded(of(ENDED, BAD)))), total(by, overall(recorded(of(ENDED))))
    known = total("instance", f"count_over_time({host('exits')}[$__range] @ end())")
    ranking = f"topk(15, 60 * {bad} / on (instance) group_left () {known})"
    panel = table(
        12, "Failed exits by command and machine", PER_MINUTE,
        f"Process exits {FAILED}, per minute, and their share of the command's exits. Shows the 15 pairs of command "
        "and machine with the most failed exits in the time range. A high rate with a share near 100 % is a crash "
        "loop.",
        {"instance": ("Machine", 130), "comm": ("Command", 180)},
        {"Failed exits": or_none("comm", ranking), "Share": among(share(bad, exits), ranking, by)})
    return gauge(panel, "Share", custom__width=150, unit="percentunit", decimals=0, max=1)


def failures():
    return commands(12, "Failed exits by command", EXITS,
                    f"Process exits {FAILED}. Shows the ten commands with the most failed exits in the time range. "
                    f"{AVERAGED}",
                    top_or_none(10, "comm", total("comm", recorded(of(ENDED, BAD)))))


def without_exec():
    ranking = f"topk(15, {total('instance, comm', growth('comm', 'procevent_exits_without_exec_total'))} > 0)"
    panel = table(8, "Exits without an exec", "locale",
                  "Processes that were forked and exited without executing a program, in the time range: workers, a "
                  "shell's pipelines, a fork bomb. Shows the 15 pairs of command and machine with the highest number.",
                  {"instance": ("Machine", 95), "comm": ("Command", 185)}, {"Exits": or_none("comm", ranking)},
                  decimals=0)
    return gauge(panel, "Exits")


def dumps():
    return graph(8, "Core dumps by machine", per_second("dumps"),
                 f"Core dumps, whether or not a file was written. {TEN_HIGHEST}",
                 machines(total("instance", rate(EVENTS, DUMPED))))


# --- Processes ---

def lifetimes():
    return heatmap(16, "Lifetimes", "s",
                   "Exited processes by lifetime, from the fork to the exit of the last thread. Many short lifetimes "
                   "are a storm, a crash loop, or a shell that starts programs in a loop.",
                   total("le", f"increase({of(LIFETIME)}[$__rate_interval])"))


def alive():
    return graph(12, "Processes alive", "short", f"Number of processes alive. {TEN_HIGHEST}",
                 machines(highest("instance", peak("procevent_processes"))))


def pids_in_use():
    used = share(peak("procevent_threads"), peak("procevent_pid_max"))
    return graph(12, "PIDs in use", "percentunit",
                 f"Processes and threads alive as a share of kernel.pid_max. At 100 % forks fail. {TEN_HIGHEST}",
                 machines(highest("instance", used)), limit=FULL)


# --- Completeness ---

def completeness():
    least = f"min_over_time({of(COMPLETENESS)}[$__range] @ end())"
    return graph(8, "Completeness over one hour", "percentunit",
                 "Share of all events of the hour before that were counted, including the time without a subscription. "
                 f"{TEN_LOWEST} Not available for replays, or with a narrowed source.events.",
                 line(f"{highest('instance', of(COMPLETENESS))} and "
                      f"bottomk(10, {highest('instance', least)})", MACHINE), max=1)


def received():
    return graph(7, "Received ratio by machine", "percentunit",
                 "Share of the kernel's events that were received while subscribed. The value is exact. Shows the ten "
                 "machines with the most lost events. Not available with a narrowed source.events.",
                 line(f"{received_of(rate)} and topk(10, {overall(total('instance', rate(LOST)))})", MACHINE),
                 max=1)


def unsubscribed():
    return graph(8, "Time unsubscribed", "percentunit",
                 "Share of time without a working subscription. Events in that time are not counted as lost. "
                 f"{TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_unsubscribed_seconds_total"))))


def audit():
    def of_each(name, *matchers):
        return total("job, instance", rate(name, *matchers))

    missing = f"clamp_min(sum({of_each('procevent_kernel_clones_total')} - {of_each(EVENTS, FORK)}), 0)"
    reported = f"sum({of_each(LOST)} + {of_each('procevent_unseen_clones_total')})"
    return graph(8, "Audit against /proc/stat", per_second("clones"),
                 "Not received: clones (processes and threads) that the kernel counted without an event. Reported "
                 "missing: lost events, and clones during time without a subscription. Over time, not received never "
                 "exceeds reported missing. A scrape that the exporter could not complete in time has no kernel count.",
                 line(missing, "not received"), line(reported, "reported missing"), positive=False)


def names_resolved():
    return graph(8, "Program names by source", PROGRAMS,
                 "Programs by the source of their name. proc: read from /proc. comm_event: from the kernel's event. "
                 "unattributed: the process exited first, and its parent's name is known.",
                 line(total("source", rate(ATTRIBUTIONS)), "{{source}}"), stacked=True)
