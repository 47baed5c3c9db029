"""Who forks, how fast, how it ends, and whether anything was missed."""

from parts import (BAD, ENDED, EVENTS, FORKED, LOST, MACHINE, MINUTES, NAMED, NUMBERED, SHOWN, STEP, WHOLE, among, bars,
                   dashboard, each, graph, growth, heatmap, highest, increase, lately, line, machines, of, or_zero,
                   overall, override, peak, quantiles, rate, recorded, share, stat, table, top, top_or_none, total)

EXECS, UNEXECED, DUMPS = "procevent_execs_total", "procevent_unexeced_exits_total", "procevent_coredumps_total"
FORKS = "procevent_forks_total"
COMPLETENESS = "instance:procevent_completeness:ratio_rate1h"
ATTRIBUTIONS = "procevent_attributions_total"
LIFETIME = "procevent_process_lifetime_seconds_bucket"
FORK, DUMPED = 'event="fork"', 'event="coredump"'
PROGRAMS = 'source!="unattributed"'
NAMELESS = 'comm=~".(untracked processes|unattributed programs|processes without a name|other comms beyond limit)."'


def fork_storms():
    return dashboard(
        "procevent-fork-storms", "Fork storms",
        "Who forks, how fast, how it ends, and whether anything was missed. By procevent_exporter.",
        ("At a glance", glance()),
        ("What forks now", (10, who_forks(), where()), (9, forks_by_command())),
        ("How fast",
         (9, speed("Forks, peak over average", "fork", "New processes and threads"),
          speed("Execs, peak over average", "exec", "Programs executed"),
          speed("Ends, peak over average", "exit", "Ends of processes and threads")),
         (7, alive(), numbers_in_use())),
        ("How they end", (9, outcomes(), statuses(), signals())),
        ("How long they live",
         (10, lifetimes(), quantiles(8, "Lifetimes, percentiles", "the processes lived", LIFETIME))),
        ("Crash loops", (9, crash_loops(), failures()), (8, dumps(), without_exec())),
        ("Completeness and loss",
         (8, completeness(), received(), lost(), blind()),
         (8, audit(), known_by_name(), nameless())))


def glance():
    peaks = of("procevent_peak_events_per_second", FORK, 'window="100ms"')
    bad, ends = (f"sum({of(f'instance:procevent_{what}:rate5m')})" for what in ("failures", "exits"))
    return (
        4,
        stat(3, "Forks", "eps", "New processes and threads per second of five minutes, on all machines chosen.",
             f"sum({lately(EVENTS, FORK)})", decimals=0),
        stat(3, "Worst 100 ms", "eps",
             "The highest rate of forks in any 100 ms of the last minute, on the machine where it is highest.",
             f"max({peaks})"),
        stat(3, "Processes alive", "locale", "Processes alive now, on all machines chosen that answer.",
             f"sum({each(of('procevent_processes'))})", decimals=0),
        stat(3, "Failed or killed", "percentunit",
             "The share of the process ends of the last five minutes that were a failure or a signal.",
             or_zero(share(bad, ends), ends), decimals=1),
        stat(3, "Killed by a signal", "locale", "Processes that a signal ended, in the time shown.",
             f"sum({increase('procevent_exit_signals_total')})", decimals=0),
        stat(3, "Dumped core", "locale", "Core dumps in the time shown, whether or not a file was written.",
             f"sum({increase(EVENTS, DUMPED)})", decimals=0),
        stat(3, "Completeness", "percentunit",
             "The share of what happened that was counted, in the last hour, on the machine where it is least: with "
             "the time in which nobody listened, as if as much had happened then. Not known of a replay, nor where "
             "source.events is narrowed.",
             f"min({of(COMPLETENESS)})", WHOLE, decimals=2),
        stat(3, "Received", "percentunit",
             "The share of the kernel's events that were received, in the time shown, while it was listened to. Exact: "
             "the kernel numbers them. What happened while nobody listened has no number and is left out: that is in "
             "the completeness.",
             received_of(increase, "sum"), WHOLE, decimals=2))


def received_of(grown, over=""):
    """The share of events that were received, of each machine or of all; only where the losses are known."""
    missed = total("instance", grown(LOST))
    heard = f"{over}({total('instance', grown(EVENTS, NUMBERED))} and {missed})"
    return f"1 - {share(f'{over}({missed})', f'({heard} + {over}({missed}))')}"


# --- What forks now ---

def who_forks():
    by = "comm"
    ranking = f"topk(15, {total(by, of(FORKED))})"

    def beside(series):
        return among(total(by, series), ranking, by)

    def counted(metric):
        return f"{growth(by, MINUTES, metric, NAMED)} / {MINUTES.seconds}"

    panel = table(
        15, "Who forks now", "eps",
        "The 15 commands that fork most, per second of the last five minutes: their forks; programs executed under "
        "their name; processes of that name that ended, that ended without having executed anything, and that failed "
        "or were killed. Names in brackets are no commands: METRICS.md tells what they hold.",
        {"comm": ("Command", 170)},
        {"Forks": ranking, "Execs": beside(counted(EXECS)), "Ends": beside(of(ENDED)),
         "No exec": beside(counted(UNEXECED)), "Bad ends": beside(of(ENDED, BAD))})
    return override(panel, "Forks", min=0, color={"mode": "continuous-BlPu"}, custom__width=200,
                    custom__cellOptions={"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"})


def where():
    return bars(9, "Where", "eps", "The ten machines with the most forks per second of five minutes.",
                f"topk(10, {total('instance', lately(EVENTS, FORK))})")


def forks_by_command():
    return graph(24, "Forks by command", "eps",
                 "New processes, by the command that forked them: the ten that forked most in the time shown. Each "
                 "point is an average over five minutes, the highest of its step.",
                 line(top(10, total("comm", recorded(of(FORKED)))), "{{comm}}"), stacked=True, table=("max",))


# --- How fast ---

def speed(title, event, what):
    """The average that rate() sees, and the peaks that it hides."""
    kind = f'event="{event}"'

    def worst(window):
        return f"max({peak('procevent_peak_events_per_second', kind, window)})"

    panel = graph(
        8, title, "eps",
        f"{what} on the machine where it is highest: the average between scrapes, and the highest rate in any 1 s and "
        "any 100 ms of the last minute, which an average hides.",
        line(worst('window="100ms"'), "peak in 100 ms"), line(worst('window="1s"'), "peak in 1 s"),
        line(f"max({total('instance', rate(EVENTS, kind))})", "average"))
    for name, color in (("peak in 100 ms", "red"), ("peak in 1 s", "orange"), ("average", "blue")):
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return override(panel, "average", custom__fillOpacity=40, custom__lineWidth=2)


def alive():
    return graph(12, "Processes alive", "short", "On the ten machines that had most.",
                 machines(highest("instance", peak("procevent_processes"))))


def numbers_in_use():
    used = share(peak("procevent_threads"), peak("procevent_pid_max"))
    return graph(12, "Process numbers in use", "percentunit",
                 "Processes and threads alive, as a share of those that the machine can have at once (pid_max), on the "
                 "ten machines where it was most. At 100 % nothing can be forked.",
                 machines(highest("instance", used)))


# --- How they end, and how long they live ---

def outcomes():
    panel = graph(8, "Outcomes", "eps",
                  "Processes that ended: with status 0, with another one, by a signal. Each point is an average over "
                  "five minutes, the highest of its step.",
                  line(total("outcome", recorded(of(ENDED))), "{{outcome}}"), stacked=True)
    for name, color in (("success", "green"), ("failure", "orange"), ("signal", "red")):
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return panel


def statuses():
    by, metric = "code", "procevent_exit_statuses_total"
    rates = f"{total(by, growth(by, STEP, metric))} / {STEP.seconds}"
    return graph(8, "Statuses", "eps",
                 "Ends with a status other than 0: the ten most frequent in the time shown. 127: a program was not "
                 "found; 126: it could not be executed.",
                 line(top_or_none(10, by, rates, total(by, growth(by, SHOWN, metric))), "{{code}}"),
                 stacked=True)


def signals():
    return graph(8, "Signals", "eps",
                 "Ends by a signal: the ten most frequent in the time shown. SIGSEGV, SIGABRT, SIGBUS: crashes; "
                 "SIGKILL: perhaps the OOM killer.",
                 line(top_or_none(10, "signal", total("signal", rate("procevent_exit_signals_total"))), "{{signal}}"),
                 stacked=True)


def lifetimes():
    return heatmap(16, "Lifetimes", "s",
                   "Processes that ended, by how long they had lived, from fork to the last exit. Many short lives: a "
                   "storm, a crash loop, or a shell that starts programs in a loop.",
                   total("le", f"increase({of(LIFETIME)}[$__rate_interval])"))


# --- Crash loops ---

def crash_loops():
    by = "instance, comm"
    bad, ends = total(by, overall(recorded(of(ENDED, BAD)))), total(by, overall(recorded(of(ENDED))))
    known = total("instance", f"count_over_time({of('instance:procevent_exits:rate5m')}[$__range] @ end())")
    ranking = f"topk(15, 60 * {bad} / on (instance) group_left () {known})"
    panel = table(
        12, "Ends badly, again and again", "cpm",
        "The 15 commands and machines with the most failures and deaths by a signal in the time shown: how many a "
        "minute, which share of their ends that is, and core dumps (of commands that still have a row). Many with a "
        "share near 100 % are a crash loop.",
        {"instance": ("Machine", 120), "comm": ("Command", 180)},
        {"Bad ends": ranking, "Share": among(share(bad, ends), ranking, by),
         "Core dumps": among(total(by, growth("comm", SHOWN, DUMPS, NAMED)), ranking, by)})
    override(panel, "Share", unit="percentunit", decimals=0, min=0, max=1, color={"mode": "continuous-GrYlRd"},
             custom__width=120,
             custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
    return override(panel, "Core dumps", unit="locale", decimals=0)


def failures():
    return graph(12, "Failed or killed, by command", "eps",
                 "Process ends that were a failure or a signal: the ten commands with the most in the time shown. Each "
                 "point is an average over five minutes, the highest of its step.",
                 line(top_or_none(10, "comm", total("comm", recorded(of(ENDED, BAD)))), "{{comm}}"),
                 stacked=True, table=("max",))


def dumps():
    return graph(12, "Core dumps", "eps",
                 "Core dumps, whether or not a file was written, on the ten machines with the most.",
                 machines(total("instance", rate(EVENTS, DUMPED))))


def without_exec():
    ended = total("instance, comm", growth("comm", SHOWN, UNEXECED, NAMED))
    return table(12, "Ended without an exec", "locale",
                 "Processes that were forked and ended without executing anything, in the time shown: workers, a "
                 "shell's pipes, a fork bomb. The 15 commands and machines with the most, of those that still have a "
                 "row.",
                 {"instance": ("Machine", 120), "comm": ("Command", 180)}, {"Ends": f"topk(15, {ended} > 0)"},
                 decimals=0)


# --- Completeness and loss ---

def completeness():
    least = f"min_over_time({of(COMPLETENESS)}[$__range] @ end())"
    return graph(6, "Completeness of an hour", "percentunit",
                 "The share of what happened that was counted in the hour before, blind time and all, on the ten "
                 "machines where it was least. Not known of a replay, nor where source.events is narrowed.",
                 line(f"{highest('instance', of(COMPLETENESS))} and "
                      f"bottomk(10, {highest('instance', least)})", MACHINE), max=1)


def received():
    return graph(6, "Events received", "percentunit",
                 "The share of the kernel's events that were received while it was listened to, on the ten machines "
                 "that lost most. Exact: the kernel numbers them. Left out where source.events is narrowed.",
                 line(f"{received_of(rate)} and topk(10, {overall(total('instance', rate(LOST)))})", MACHINE),
                 max=1)


def lost():
    return graph(6, "Events lost", "eps",
                 "Events that found no room in the receive queue, on the ten machines that lost most. Exact.",
                 machines(total("instance", rate(LOST))))


def blind():
    return graph(6, "Blind time", "percentunit",
                 "The share of time without a working listener, on the ten machines where it was most. What happens "
                 "then is not among the losses.",
                 machines(total("instance", rate("procevent_blind_seconds_total"))))


def audit():
    def of_each(name, *matchers):
        return total("job, instance", rate(name, *matchers))

    unheard = f"sum({of_each('procevent_kernel_forks_total')} - {of_each(EVENTS, FORK)})"
    told = f"sum({of_each(LOST)} + {of_each('procevent_forks_unseen_total')})"
    return graph(8, "Audit against /proc/stat", "eps",
                 "Forks that the kernel counted and that were not received; and events told as lost, with the forks "
                 "told as made while nobody listened. In the long run the first is never more than the second.",
                 line(unheard, "not received"), line(told, "told"), positive=False)


def known_by_name():
    return graph(8, "Programs known by name", "percentunit",
                 "The share of programs whose name was learnt before they ended. The others are counted as "
                 "[unattributed programs]: who forked them is known.",
                 line(share(f"sum({rate(ATTRIBUTIONS, PROGRAMS)})", f"sum({rate(ATTRIBUTIONS)})"), "known"), max=1)


def nameless():
    return graph(8, "Forks without a command of their own", "eps",
                 "Forks by processes whose name is not known, or whose command found no row.",
                 line(total("comm", rate(FORKS, NAMELESS)), "{{comm}}"), stacked=True)
