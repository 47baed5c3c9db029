"""The dashboard of all machines of a job. Its size is bounded for any number of machines.

It queries the recorded series of the fleet (job*:procevent_*), and those with one series for each instance
(instance:procevent_*). Each machine on it is a link to its fork storms."""

from parts import (ALARM, AVERAGED, BUSY, EXITS, FAILED, FORKS, MOST, NAMELESS, PROGRAMS, TEN_HIGHEST, THREADS, WHOLE,
                   among, bars, commands, dashboard, gauge, graph, line, named, or_zero, override, recorded, share,
                   stat, table, to_machine, top)

JOB = 'job=~"$job"'
TARGETS, ANSWERING = "job:procevent_exporter_up:count", "job:procevent_exporter_up:sum"
SPAWNERS = "job_instance_comm:procevent_forks:topk100_rate5m"
FAILING, FAILING_SHARE = "job_comm:procevent_failures:topk100_rate5m", "job_comm:procevent_failures:ratio_rate5m"
NAMED = "instance:procevent_named:ratio_rate15m"
LIVE = "Replays are not included."
LATELY = "per second over the last five minutes, on all machines."
LINKED = "Each machine is a link to its fork storms."


def fleet():
    return dashboard(
        "procevent-fleet", "Fleet",
        "All machines of a job that run procevent_exporter. Queries only recorded series.",
        ("Overview", *overview()),
        ("Over time",
         (8, by_job("Forks", FORKS, "New processes per second.", "job:procevent_forks:rate5m"),
          by_job("Programs executed", PROGRAMS, "Programs executed per second.", "job:procevent_execs:rate5m"),
          by_job("Threads started", THREADS, "New threads per second.", "job:procevent_threads_started:rate5m")),
         (8, by_job("Peak forks, 1 s", FORKS,
                    "The most new processes in any second of a minute, on any machine. It shows the start of a storm "
                    "that the averages smooth.", "job:procevent_forks_peak:max"),
          by_job("Failed exits", "percentunit", f"Share of process exits {FAILED}.",
                 "job:procevent_failures:ratio_rate5m", max=1),
          by_job("Loss ratio", "percentunit",
                 "Share of events dropped at a full receive queue. The value is exact. Machines with unknown losses "
                 "are not included.",
                 "job:procevent_loss:ratio_rate5m"))),
        ("Forks", (12, spawners(), by_command(
            "Forks", FORKS, "forks:topk200", "New processes by the command that forked them."))),
        ("Programs executed", (12, *programs())),
        ("Threads started", (12, *threads())),
        ("Failed exits",
         (10, failing(), [(3, stat_of_named(12, "Failed exits", FAILING, "failures")), (7, failing_machines())])),
        ("Most urgent machines", (8, peaks(), pids(), missing())),
        fleet=True)


def of(name, *matchers):
    return f"{name}{{{', '.join((JOB, *matchers))}}}"


def overview():
    down = f"sum({of(TARGETS)} - {of(ANSWERING)})"
    unsubscribed = of("instance:procevent_unsubscribed:ratio_rate1h")
    bad, exits = (f"sum({of(f'job:procevent_{what}:rate5m')})" for what in ("failures", "exits"))
    return (
        (3,
         stat(4, "Machines", "locale", f"Number of scrape targets. {LIVE}", f"sum({of(TARGETS)})"),
         stat(4, "Exporters down", "locale", f"Exporters that Prometheus cannot scrape. {LIVE}", down, ALARM),
         stat(4, "Unsubscribed (1 h)", "locale",
              f"Machines without a working subscription for 0.1 % of the last hour or more. {LIVE}",
              or_zero(f"count({unsubscribed} >= 0.001)", f"count({unsubscribed})"), ALARM),
         stat(4, "Completeness", "percentunit",
              "Share of all events of the last hour that were counted, including the time without a subscription. "
              f"Shows the machine with the lowest value. {LIVE}",
              f"min({of('job:procevent_completeness:min_ratio_rate1h')})", WHOLE, decimals=2),
         stat(4, "Programs named", "percentunit",
              "Share of programs that got a name before they exited, in the last 15 minutes. Shows the machine "
              "with the lowest value.", f"min({of(NAMED)})", MOST, decimals=1),
         stat(4, "Failed exits", "percentunit", f"Share of the process exits of the last five minutes {FAILED}.",
              share(bad, exits), decimals=1)),
        (3,
         stat(4, "Forks", FORKS, f"New processes {LATELY}", f"sum({of('job:procevent_forks:rate5m')})", decimals=1),
         stat(4, "Peak forks, 1 s", FORKS, "The most new processes in any second of the last minute, on any machine.",
              f"max({of('job:procevent_forks_peak:max')})", BUSY),
         stat(4, "Programs executed", PROGRAMS, f"Programs executed {LATELY}",
              f"sum({of('job:procevent_execs:rate5m')})", decimals=1),
         stat(4, "Threads started", THREADS, f"New threads {LATELY}",
              f"sum({of('job:procevent_threads_started:rate5m')})", decimals=1),
         stat(4, "Process exits", EXITS, f"Process exits {LATELY}", exits, decimals=1),
         stat(4, "PID space wraps in", "s",
              "Time until a PID is reused at the rate of the last 15 minutes, on the machine where it is shortest.",
              f"min({of('job:procevent_pid_wrap_seconds:min_rate15m')})")))


def by_job(title, unit, description, record, **defaults):
    return graph(8, title, unit, description, line(f"max by (job) ({recorded(of(record))})", "{{job}}"), **defaults)


# --- By command ---

def by_command(title, unit, ranked, what):
    record = f"job_comm:procevent_{ranked}_rate5m"
    return commands(14, f"{title} by command", unit,
                    f"{what} Shows the ten commands with the highest rate in the time range. {AVERAGED}",
                    top(10, f"sum by (comm) ({recorded(of(record))})"))


def stat_of_named(width, title, record, whole):
    nameless, everything = f"sum({of(record, NAMELESS)})", f"sum({of(f'job:procevent_{whole}:rate5m')})"
    return stat(width, f"{title}, named share", "percentunit",
                "Share of the counts of the table in this row that have a command's name, over the last five minutes. "
                "The others are in the rows in brackets.",
                named(nameless, everything), MOST, decimals=1, noValue="none counted")


def spawners():
    panel = table(
        10, "Top forkers", "count:/s",
        f"Forks per second over the last five minutes. Shows the 15 pairs of command and machine with the highest "
        f"rate. {LINKED}",
        {"job": ("Job", 90), "instance": ("Machine", 110), "comm": ("Command", 175)},
        {"Forks": f"topk(15, max by (job, instance, comm) ({of(SPAWNERS)}))"})
    override(panel, "Machine", links=to_machine("${__data.fields.job}", "${__data.fields.instance}"))
    return [(3, stat_of_named(10, "Forks", "job_comm:procevent_forks:topk200_rate5m", "forks")),
            (9, gauge(panel, "Forks"))]


def top_commands(title, head, ranked, whole, what):
    """The named share above a table."""
    record = f"job_comm:procevent_{ranked}_rate5m"
    panel = table(10, title, "count:/s",
                  f"{what} Rate over the last five minutes. Shows the 15 commands with the highest rate.",
                  {"job": ("Job", 110), "comm": ("Command", 180)},
                  {"Rate": f"topk(15, sum by (job, comm) ({of(record)}))"})
    return [(3, stat_of_named(10, head, record, whole)), (9, gauge(panel, "Rate"))]


def programs():
    what, ranked = "Programs executed by their name.", "execs:topk200"
    return (top_commands("Top programs", "Programs executed", ranked, "execs", what),
            by_command("Programs executed", PROGRAMS, ranked, what))


def threads():
    what, ranked = "New threads by the command that started them.", "threads_started:topk100"
    return (top_commands("Top thread starters", "Threads started", ranked, "threads_started", what),
            by_command("Threads started", THREADS, ranked, what))


# --- Failed exits ---

def failing():
    ranking = f"topk(15, sum by (job, comm) ({of(FAILING)}))"
    panel = table(
        12, "Failed exits by command", "count:/s",
        f"Process exits {FAILED}, per second over the last five minutes, and their share of the command's exits. "
        "Shows the 15 commands with the highest rate.",
        {"job": ("Job", 110), "comm": ("Command", 180)},
        {"Failed exits": ranking, "Share": among(f"max by (job, comm) ({of(FAILING_SHARE)})", ranking, "job, comm")})
    return gauge(panel, "Share", unit="percentunit", decimals=0, max=1)


def failing_machines():
    return worst(12, "Failed exits by machine", EXITS, f"Process exits per second {FAILED}.",
                 "instance:procevent_failures:rate5m")


# --- The worst machines ---

def worst(width, title, unit, description, record):
    link = to_machine("${__field.labels.job}", "${__field.labels.instance}")
    return bars(width, title, unit, f"{description} {TEN_HIGHEST} {LINKED}",
                f"topk(10, max by (job, instance) ({of(record)}))", links=link)


def peaks():
    return worst(8, "Peak forks, 1 s, by machine", FORKS,
                 "The most new processes in any second of the last minute.", "instance:procevent_forks_peak:max")


def machines(width, title, unit, description, columns, shown=TEN_HIGHEST):
    panel = table(width, title, unit, f"{description} {shown} {LINKED}", {"instance": ("Machine", 120)}, columns)
    panel["transformations"][1]["options"]["excludeByName"]["job"] = True
    return override(panel, "Machine", links=to_machine("${__data.fields.job}", "${__data.fields.instance}"))


def pids():
    wrap = f"max by (job, instance) ({of('instance:procevent_pid_wrap_seconds:rate15m')})"
    ranking = f"topk(10, 3600 / {wrap})"
    panel = machines(
        8, "PID space wraps in", "s",
        "Time until a PID is reused, and the share of the PID space that is used in an hour, at the rate of the last "
        "15 minutes.", {"Used per hour": ranking, "Wraps in": among(wrap, ranking, "job, instance")},
        shown="Shows the ten machines with the shortest time.")
    return gauge(override(panel, "Wraps in", custom__width=100), "Used per hour", unit="percentunit", decimals=0)


def missing():
    def of_machine(record):
        return f"max by (job, instance) ({of(f'instance:procevent_{record}')})"

    loss = of_machine("loss:ratio_rate1h")
    ranking = f"topk(10, 1 - {of_machine('completeness:ratio_rate1h')} or {loss})"
    panel = machines(
        8, "Missing events", "percentunit",
        "Share of the events of the last hour that were not counted: lost at a full receive queue, or in time without "
        f"a subscription or without an exporter. A replay, or an exporter younger than an hour, has only losses.",
        {"Missing": ranking, "Lost": among(loss, ranking, "job, instance")})
    return gauge(override(panel, "Lost", custom__width=90), "Missing", max=1)
