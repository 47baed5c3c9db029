"""Who forks, how fast, how it ends, and whether anything was missed."""

from parts import (BAD, EVENTS, LOST, MACHINE, NAMED, WHOLE, among, bars, dashboard, graph, heatmap, highest, increase,
                   line, machines, now, of, or_zero, override, overall, peak, quantiles, rate, share, stat, table, top,
                   top_or_none, total)

FORKS, EXECS, EXITS = "procevent_forks_total", "procevent_execs_total", "procevent_exits_total"
UNEXECED, DUMPS = "procevent_unexeced_exits_total", "procevent_coredumps_total"
ATTRIBUTIONS = "procevent_attributions_total"
LIFETIME = "procevent_process_lifetime_seconds_bucket"
FORK = 'event="fork"'
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
        ("Crash loops",
         (9, crash_loops(),
          by_command("Failed or killed", EXITS, "Process ends that were a failure or a signal.", BAD)),
         (8, by_command("Core dumps", DUMPS, "Core dumps, whether or not a file was written."),
          by_command("Ended without an exec", UNEXECED,
                     "Processes that were forked and ended without executing anything: workers, a shell's pipes, a "
                     "fork bomb."))),
        ("Completeness and loss",
         (8, completeness(), lost(), blind()),
         (8, audit(), known_by_name(), nameless())))


def glance():
    peaks = peak("procevent_peak_events_per_second", FORK, 'window="100ms"')
    bad, ends = f"sum({rate(EXITS, NAMED, BAD)})", f"sum({rate(EXITS, NAMED)})"
    numbered = total("instance", increase(LOST))  # left out with a narrowed mask
    missed, received = f"sum({numbered})", f"sum({total('instance', increase(EVENTS))} and {numbered})"
    return (
        4,
        stat(4, "Forks", "eps", "New processes and threads per second, on all machines chosen.",
             line(f"sum({rate(EVENTS, FORK)})", "forks"), decimals=0),
        stat(4, "Worst 100 ms", "eps",
             "The highest rate of forks in any 100 ms of the last minute, on the machine where it is highest.",
             line(f"max({peaks})", "peak")),
        stat(4, "Processes alive", "locale", "Processes alive now, on all machines chosen.",
             line(f"sum({of('procevent_processes')})", "processes"), decimals=0),
        stat(4, "Failed or killed", "percentunit", "The share of process ends that were a failure or a signal.",
             line(or_zero(share(bad, ends), ends), "share"), decimals=1),
        stat(4, "Killed by a signal", "locale", "Processes that a signal ended, in the time shown.",
             now(f"sum({increase('procevent_exit_signals_total')})", "killed"), decimals=0),
        stat(4, "Completeness", "percentunit",
             "The share of the kernel's events that were received, in the time shown. Exact: the kernel numbers them.",
             now(f"1 - {share(missed, f'({received} + {missed})')}", "received"), WHOLE, decimals=2))


# --- What forks now ---

def who_forks():
    by = "comm"
    ranking = f"topk(15, {total(by, rate(FORKS, NAMED))})"

    def beside(metric, *matchers):
        return among(total(by, rate(metric, NAMED, *matchers)), ranking, by)

    panel = table(
        15, "Who forks now", "eps",
        "The 15 commands that fork most, per second: their forks; programs executed under their name; processes of "
        "that name that ended, that ended without having executed anything, and that failed or were killed. Names in "
        "brackets are no commands: METRICS.md tells what they hold.",
        {"comm": ("Command", 170)},
        {"Forks": ranking, "Execs": beside(EXECS), "Ends": beside(EXITS), "No exec": beside(UNEXECED),
         "Bad ends": beside(EXITS, BAD)})
    return override(panel, "Forks", min=0, color={"mode": "continuous-BlPu"}, custom__width=200,
                    custom__cellOptions={"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"})


def where():
    return bars(9, "Where", "eps", "The ten machines with the most forks per second.",
                now(f"topk(10, {total('instance', rate(EVENTS, FORK))})", MACHINE))


def forks_by_command():
    return graph(24, "Forks by command", "eps",
                 "New processes, by the command that forked them: the ten that forked most in the time shown.",
                 line(top(10, total("comm", rate(FORKS, NAMED))), "{{comm}}"), stacked=True, table=("mean", "max"))


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
    panel = graph(8, "Outcomes", "eps", "Processes that ended: with status 0, with another one, by a signal.",
                  line(total("outcome", rate(EXITS, NAMED)), "{{outcome}}"), stacked=True)
    for name, color in (("success", "green"), ("failure", "orange"), ("signal", "red")):
        override(panel, name, color={"mode": "fixed", "fixedColor": color})
    return panel


def statuses():
    return graph(8, "Statuses", "eps",
                 "Ends with a status other than 0: the ten most frequent in the time shown. 127: a program was not "
                 "found; 126: it could not be executed.",
                 line(top_or_none(10, "code", total("code", rate("procevent_exit_statuses_total"))), "{{code}}"),
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
    bad, ends = total(by, increase(EXITS, NAMED, BAD)), total(by, increase(EXITS, NAMED))
    ranking = f"topk(15, {bad} > 0)"
    panel = table(
        12, "Ends badly, again and again", "locale",
        "The 15 commands and machines with the most failures and deaths by a signal in the time shown, which share of "
        "their ends that is, and core dumps. Many with a share near 100 % are a crash loop.",
        {"instance": ("Machine", 120), "comm": ("Command", 180)},
        {"Bad ends": ranking, "Share": among(share(bad, ends), ranking, by),
         "Core dumps": among(total(by, increase(DUMPS, NAMED)), ranking, by)})
    override(panel, "Share", unit="percentunit", decimals=0, min=0, max=1, color={"mode": "continuous-GrYlRd"},
             custom__width=120,
             custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
    for name in ("Bad ends", "Core dumps"):
        override(panel, name, decimals=0)
    return panel


def by_command(title, metric, what, *matchers):
    return graph(12, f"{title}, by command", "eps", f"{what} The ten commands with the most in the time shown.",
                 line(top_or_none(10, "comm", total("comm", rate(metric, NAMED, *matchers))), "{{comm}}"),
                 stacked=True, table=("max",))


# --- Completeness and loss ---

def completeness():
    missed, received = total("instance", rate(LOST)), total("instance", rate(EVENTS))
    received_share = f"1 - {share(missed, f'({received} + {missed})')}"
    return graph(8, "Completeness", "percentunit",
                 "The share of the kernel's events that were received while it was listened to, on the ten machines "
                 "that lost most. Exact: the kernel numbers them. Left out where source.events is narrowed.",
                 line(f"{received_share} and topk(10, {overall(missed)})", MACHINE), max=1)


def lost():
    return graph(8, "Events lost", "eps",
                 "Events that found no room in the receive queue, on the ten machines that lost most. Exact.",
                 machines(total("instance", rate(LOST))))


def blind():
    return graph(8, "Blind time", "percentunit",
                 "The share of time without a working listener, on the ten machines where it was most. What happens "
                 "then is not among the losses.",
                 machines(total("instance", rate("procevent_blind_seconds_total"))))


def audit():
    unheard = f"sum({rate('procevent_kernel_forks_total')} - on (instance, job) {rate(EVENTS, FORK)})"
    told = f"sum({total('instance, job', rate(LOST))} + on (instance, job) {rate('procevent_forks_unseen_total')})"
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
