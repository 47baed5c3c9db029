"""The dashboard of fork storms: which commands fork, how fast, how processes exit, and which events were lost."""

from parts import (BAD, ENDED, EVENTS, FAILED, FORKED, LOST, MACHINE, MINUTES, NAMED, NUMBERED, SHOWN, STEP,
                   TEN_HIGHEST, TEN_LOWEST, WHOLE, among, bars, dashboard, each, graph, growth, heatmap, highest,
                   increase, lately, line, machines, of, or_zero, overall, override, peak, quantiles, rate, recorded,
                   share, stat, table, top, top_or_none, total)

EXECS, UNEXECED, DUMPS = "procevent_execs_total", "procevent_exits_without_exec_total", "procevent_coredumps_total"
FORKS = "procevent_forks_total"
COMPLETENESS = "instance:procevent_completeness:ratio_rate1h"
ATTRIBUTIONS = "procevent_attributions_total"
LIFETIME = "procevent_process_lifetime_seconds_bucket"
FORK, DUMPED = 'event="fork"', 'event="coredump"'
PROGRAMS = 'source!="unattributed"'
NAMELESS = 'comm=~".(untracked processes|unattributed programs|processes without a name|groups beyond the limit)."'


def fork_storms():
    return dashboard(
        "procevent-fork-storms", "Fork storms",
        "Which commands fork, how fast, how processes exit, and which events were lost.",
        ("Overview", *overview()),
        ("Forks", (10, top_forkers(), forks_by_machine()), (9, forks_by_command())),
        ("Event rates",
         (9, speed("Forks, peak and average", "fork", "New processes and threads"),
          speed("Execs, peak and average", "exec", "Programs executed"),
          speed("Exits, peak and average", "exit", "Exits of processes and threads")),
         (7, alive(), pids_in_use())),
        ("Exits", (9, outcomes(), exit_codes(), signals())),
        ("Lifetimes",
         (10, lifetimes(), quantiles(8, "Lifetimes, percentiles", "process lifetimes", LIFETIME))),
        ("Crash loops", (9, crash_loops(), failures()), (8, dumps(), without_exec())),
        ("Completeness and loss",
         (8, completeness(), received(), lost(), unsubscribed()),
         (8, audit(), names_resolved(), nameless())))


def overview():
    peaks = of("procevent_peak_events_per_second", FORK, 'window="100ms"')
    bad, exits = (f"sum({of(f'instance:procevent_{what}:rate5m')})" for what in ("failures", "exits"))
    return (
        (3,
         stat(6, "Forks and threads", "eps",
              "New processes and threads per second over the last five minutes, on all selected machines.",
              f"sum({lately(EVENTS, FORK)})", decimals=0),
         stat(6, "Peak forks, 100 ms", "eps",
              "The highest rate of new processes and threads in any 100 ms of the last minute, on any selected "
              "machine.",
              f"max({peaks})"),
         stat(6, "Processes alive", "locale", "Processes alive now, on all selected machines that answer.",
              f"sum({each(of('procevent_processes'))})", decimals=0),
         stat(6, "Failed exits", "percentunit", f"Share of the process exits of the last five minutes {FAILED}.",
              or_zero(share(bad, exits), exits), decimals=1)),
        (3,
         stat(6, "Killed by a signal", "locale", "Processes killed by a signal in the time range.",
              f"sum({increase('procevent_exit_signals_total')})", decimals=0),
         stat(6, "Core dumps", "locale", "Core dumps in the time range, whether or not a file was written.",
              f"sum({increase(EVENTS, DUMPED)})", decimals=0),
         stat(6, "Completeness", "percentunit",
              "Share of all events of the last hour that were counted. Events during time without a subscription are "
              "estimated from the rate at other times. Shows the machine with the lowest value. Not available for "
              "replays, or with a narrowed source.events.",
              f"min({of(COMPLETENESS)})", WHOLE, decimals=2),
         stat(6, "Received ratio", "percentunit",
              "Share of the kernel's events that were received in the time range, while subscribed. The value is "
              "exact, computed from the kernel's sequence numbers. Events during time without a subscription are in "
              "the completeness only.",
              received_of(increase, "sum"), WHOLE, decimals=2)))


def received_of(grown, over=""):
    """The share of events that were received, of each machine or of all, where the losses are known."""
    losses = total("instance", grown(LOST))
    events = f"{over}({total('instance', grown(EVENTS, NUMBERED))} and {losses})"
    return f"1 - {share(f'{over}({losses})', f'({events} + {over}({losses}))')}"


# --- Forks ---

def top_forkers():
    by = "comm"
    ranking = f"topk(15, {total(by, of(FORKED))})"

    def for_ranked(series):
        return among(total(by, series), ranking, by)

    def counted(metric):
        return f"{growth(by, MINUTES, metric, NAMED)} / {MINUTES.seconds}"

    panel = table(
        15, "Top forkers", "eps",
        "Rates over the last five minutes: forks, programs executed, exits, exits without an exec, and exits "
        f"{FAILED}. Shows the 15 commands with the most forks. Names in brackets stand for several commands and are "
        "explained in METRICS.md.",
        {"comm": ("Command", 170)},
        {"Forks": ranking, "Execs": for_ranked(counted(EXECS)), "Exits": for_ranked(of(ENDED)),
         "No exec": for_ranked(counted(UNEXECED)), "Failed exits": for_ranked(of(ENDED, BAD))})
    return override(panel, "Forks", min=0, color={"mode": "continuous-BlPu"}, custom__width=200,
                    custom__cellOptions={"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"})


def forks_by_machine():
    return bars(9, "Forks and threads by machine", "eps",
                f"New processes and threads per second over five minutes. {TEN_HIGHEST}",
                f"topk(10, {total('instance', lately(EVENTS, FORK))})")


def forks_by_command():
    return graph(24, "Forks by command", "eps",
                 "New processes by the command that forked them. Shows the ten commands with the most forks in the "
                 "time range. Each point is the highest five-minute average of its step.",
                 line(top(10, total("comm", recorded(of(FORKED)))), "{{comm}}"), stacked=True, table=("max",))


# --- Event rates ---

def speed(title, event, what):
    """The average that rate() returns, and the peaks that it hides."""
    kind = f'event="{event}"'

    def worst(window):
        return f"max({peak('procevent_peak_events_per_second', kind, window)})"

    panel = graph(
        8, title, "eps",
        f"{what} on the machine with the highest rate: the average between scrapes, and the peaks in any 1 s and any "
        "100 ms of the last minute, which an average hides.",
        line(worst('window="100ms"'), "peak in 100 ms"), line(worst('window="1s"'), "peak in 1 s"),
        line(f"max({total('instance', rate(EVENTS, kind))})", "average"))
    for name, color in (("peak in 100 ms", "red"), ("peak in 1 s", "orange"), ("average", "blue")):
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return override(panel, "average", custom__fillOpacity=40, custom__lineWidth=2)


def alive():
    return graph(12, "Processes alive", "short", f"Number of processes alive. {TEN_HIGHEST}",
                 machines(highest("instance", peak("procevent_processes"))))


def pids_in_use():
    used = share(peak("procevent_threads"), peak("procevent_pid_max"))
    return graph(12, "PIDs in use", "percentunit",
                 f"Processes and threads alive as a share of kernel.pid_max. At 100 % forks fail. {TEN_HIGHEST}",
                 machines(highest("instance", used)))


# --- Exits and lifetimes ---

def outcomes():
    panel = graph(8, "Outcomes", "eps",
                  "Process exits: success (status 0), failure (another status), or signal. Each point is the highest "
                  "five-minute average of its step.",
                  line(total("outcome", recorded(of(ENDED))), "{{outcome}}"), stacked=True)
    for name, color in (("success", "green"), ("failure", "orange"), ("signal", "red")):
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return panel


def exit_codes():
    by, metric = "code", "procevent_exit_codes_total"
    rates = f"{total(by, growth(by, STEP, metric))} / {STEP.seconds}"
    return graph(8, "Exit codes", "eps",
                 "Exits with a status other than 0. Shows the ten most frequent statuses in the time range. "
                 "127: program not found. 126: program not executable.",
                 line(top_or_none(10, by, rates, total(by, growth(by, SHOWN, metric))), "{{code}}"),
                 stacked=True)


def signals():
    return graph(8, "Signals", "eps",
                 "Exits by a signal. Shows the ten most frequent signals in the time range. "
                 "SIGSEGV, SIGABRT, SIGBUS: a crash. SIGKILL: possibly the OOM killer.",
                 line(top_or_none(10, "signal", total("signal", rate("procevent_exit_signals_total"))), "{{signal}}"),
                 stacked=True)


def lifetimes():
    return heatmap(16, "Lifetimes", "s",
                   "Exited processes by lifetime, from the fork to the exit of the last thread. Many short lifetimes "
                   "are a storm, a crash loop, or a shell that starts programs in a loop.",
                   total("le", f"increase({of(LIFETIME)}[$__rate_interval])"))


# --- Crash loops ---

def crash_loops():
    by = "instance, comm"
    bad, exits = total(by, overall(recorded(of(ENDED, BAD)))), total(by, overall(recorded(of(ENDED))))
    known = total("instance", f"count_over_time({of('instance:procevent_exits:rate5m')}[$__range] @ end())")
    ranking = f"topk(15, 60 * {bad} / on (instance) group_left () {known})"
    panel = table(
        12, "Failed exits by command and machine", "cpm",
        f"Process exits {FAILED}, per minute, their share of the exits, and core dumps of commands that still have "
        "a row. Shows the 15 pairs of command and machine with the most failed exits in the time range. A high rate "
        "with a share near 100 % is a crash loop.",
        {"instance": ("Machine", 120), "comm": ("Command", 180)},
        {"Failed exits": ranking, "Share": among(share(bad, exits), ranking, by),
         "Core dumps": among(total(by, growth("comm", SHOWN, DUMPS, NAMED)), ranking, by)})
    override(panel, "Share", unit="percentunit", decimals=0, min=0, max=1, color={"mode": "continuous-GrYlRd"},
             custom__width=120,
             custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
    return override(panel, "Core dumps", unit="locale", decimals=0)


def failures():
    return graph(12, "Failed exits by command", "eps",
                 f"Process exits {FAILED}. Shows the ten commands with the most failed exits in the time range. Each "
                 "point is the highest five-minute average of its step.",
                 line(top_or_none(10, "comm", total("comm", recorded(of(ENDED, BAD)))), "{{comm}}"),
                 stacked=True, table=("max",))


def dumps():
    return graph(12, "Core dumps", "eps",
                 f"Core dumps, whether or not a file was written. {TEN_HIGHEST}",
                 machines(total("instance", rate(EVENTS, DUMPED))))


def without_exec():
    exited = total("instance, comm", growth("comm", SHOWN, UNEXECED, NAMED))
    return table(12, "Exits without an exec", "locale",
                 "Processes that were forked and exited without executing a program, in the time range: workers, a "
                 "shell's pipelines, a fork bomb. Shows the 15 pairs of command and machine with the highest number, "
                 "among commands that still have a row.",
                 {"instance": ("Machine", 120), "comm": ("Command", 180)}, {"Exits": f"topk(15, {exited} > 0)"},
                 decimals=0)


# --- Completeness and loss ---

def completeness():
    least = f"min_over_time({of(COMPLETENESS)}[$__range] @ end())"
    return graph(6, "Completeness over one hour", "percentunit",
                 "Share of all events of the hour before that were counted, including the time without a subscription. "
                 f"{TEN_LOWEST} Not available for replays, or with a narrowed source.events.",
                 line(f"{highest('instance', of(COMPLETENESS))} and "
                      f"bottomk(10, {highest('instance', least)})", MACHINE), max=1)


def received():
    return graph(6, "Received ratio by machine", "percentunit",
                 "Share of the kernel's events that were received while subscribed. The value is exact, computed from "
                 "the kernel's sequence numbers. Shows the ten machines with the most lost events. Not available with "
                 "a narrowed source.events.",
                 line(f"{received_of(rate)} and topk(10, {overall(total('instance', rate(LOST)))})", MACHINE),
                 max=1)


def lost():
    return graph(6, "Events lost", "eps",
                 f"Events dropped at a full receive queue. The value is exact. {TEN_HIGHEST}",
                 machines(total("instance", rate(LOST))))


def unsubscribed():
    return graph(6, "Time unsubscribed", "percentunit",
                 "Share of time without a working subscription. Events in that time are not counted as lost. "
                 f"{TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_unsubscribed_seconds_total"))))


def audit():
    def of_each(name, *matchers):
        return total("job, instance", rate(name, *matchers))

    missing = f"clamp_min(sum({of_each('procevent_kernel_clones_total')} - {of_each(EVENTS, FORK)}), 0)"
    reported = f"sum({of_each(LOST)} + {of_each('procevent_unseen_clones_total')})"
    return graph(8, "Audit against /proc/stat", "eps",
                 "Not received: forks that the kernel counted without a fork event. Reported missing: lost events, and "
                 "forks during time without a subscription. Over time, not received never exceeds reported missing. "
                 "A scrape that the exporter could not complete in time has no kernel count.",
                 line(missing, "not received"), line(reported, "reported missing"), positive=False)


def names_resolved():
    return graph(8, "Program names resolved", "percentunit",
                 "Share of programs with a name that was resolved before they exited. The others are counted as "
                 "[unattributed programs]. Their parent's name is known.",
                 line(share(f"sum({rate(ATTRIBUTIONS, PROGRAMS)})", f"sum({rate(ATTRIBUTIONS)})"), "resolved"), max=1)


def nameless():
    return graph(8, "Forks without a command name", "eps",
                 "Forks by processes without a known name, or with a command that got no row of its own.",
                 line(total("comm", rate(FORKS, NAMELESS)), "{{comm}}"), stacked=True)
