"""The dashboard of all machines of a job. Its size is bounded for any number of machines.

It queries the recorded series of the fleet (job*:procevent_*), and those with one series for each instance
(instance:procevent_*). Each machine on it is a link to its fork storms."""

from parts import (ALARM, FAILED, MACHINE, TEN_HIGHEST, TEN_LOWEST, WHOLE, among, bars, dashboard, graph, line, or_zero,
                   override, recorded, share, stat, table, to_machine, top)

JOB = 'job=~"$job"'
TARGETS, ANSWERING = "job:procevent_exporter_up:count", "job:procevent_exporter_up:sum"
COMMANDS, SPAWNERS = "job_comm:procevent_forks:topk200_rate5m", "job_instance_comm:procevent_forks:topk100_rate5m"
FAILING, FAILING_SHARE = "job_comm:procevent_failures:topk100_rate5m", "job_comm:procevent_failures:ratio_rate5m"
LIVE = "Replays are not included."


def fleet():
    return dashboard(
        "procevent-fleet", "Fleet",
        "All machines of a job that run procevent_exporter. Queries only recorded series.",
        ("Overview", overview()),
        ("Over time",
         (8, by_job("Forks", "eps", "New processes per second.", "job:procevent_forks:rate5m"),
          by_job("Failed exits", "percentunit", f"Share of process exits {FAILED}.",
                 "job:procevent_failures:ratio_rate5m", max=1),
          by_job("Loss ratio", "percentunit",
                 "Share of events dropped at a full receive queue. The value is exact. Machines with unknown losses "
                 "are not included.",
                 "job:procevent_loss:ratio_rate5m"))),
        ("Forks by command and machine", (10, commands(), spawners())),
        ("Failed exits",
         (9, failing(),
          worst("Failed exits by machine", "eps", f"Process exits per second {FAILED}.",
                "topk", "instance:procevent_failures:rate5m"))),
        ("Highest fork rates",
         (8, worst("Peak forks, 1 s", "eps",
                   "The most forks (processes and threads) in any second of the last minute.",
                   "topk", "instance:procevent_forks_peak:max"),
          worst("PID reuse time", "s", "Time until a PID is reused, at the fork rate of the last 15 minutes.",
                "bottomk", "instance:procevent_pid_wrap_seconds:rate15m"))),
        ("Completeness and loss",
         (8, worst("Highest loss ratio", "percentunit", "Share of the events of the last hour that were lost.",
                   "topk", "instance:procevent_loss:ratio_rate1h", max=1),
          worst("Lowest completeness", "percentunit",
                f"Share of all events of the last hour that were counted, including the time without a subscription. "
                f"{LIVE}",
                "bottomk", "instance:procevent_completeness:ratio_rate1h", max=1))),
        fleet=True)


def of(name):
    return f"{name}{{{JOB}}}"


def overview():
    down = f"sum({of(TARGETS)} - {of(ANSWERING)})"
    unsubscribed = of("instance:procevent_unsubscribed:ratio_rate1h")
    bad, exits = (f"sum({of(f'job:procevent_{what}:rate5m')})" for what in ("failures", "exits"))
    return (
        4,
        stat(3, "Machines", "locale", f"Number of scrape targets. {LIVE}", f"sum({of(TARGETS)})"),
        stat(3, "Exporters down", "locale", f"Exporters that Prometheus cannot scrape. {LIVE}", down, ALARM),
        stat(3, "Unsubscribed (1 h)", "locale",
             f"Machines without a working subscription for 0.1 % of the last hour or more. {LIVE}",
             or_zero(f"count({unsubscribed} >= 0.001)", f"count({unsubscribed})"), ALARM),
        stat(3, "Completeness", "percentunit",
             "Share of all events of the last hour that were counted, including the time without a subscription. Shows "
             f"the machine with the lowest value. {LIVE}",
             f"min({of('job:procevent_completeness:min_ratio_rate1h')})", WHOLE, decimals=2),
        stat(3, "Forks", "eps", "New processes per second, on all machines.",
             f"sum({of('job:procevent_forks:rate5m')})", decimals=0),
        stat(3, "Peak forks, 1 s", "eps",
             "The most forks (processes and threads) in any second of the last minute, on any machine.",
             f"max({of('job:procevent_forks_peak:max')})"),
        stat(3, "Failed exits", "percentunit", f"Share of process exits {FAILED}.",
             share(bad, exits), decimals=1),
        stat(3, "PID reuse time", "s", "Time until a PID is reused, on the machine where it is shortest.",
             f"min({of('job:procevent_pid_wrap_seconds:min_rate15m')})"))


def by_job(title, unit, description, record, **defaults):
    return graph(8, title, unit, description, line(f"max by (job) ({recorded(of(record))})", "{{job}}"), **defaults)


def commands():
    return graph(12, "Forks by command", "eps",
                 "New processes by the command that forked them. Shows the ten commands with the most forks in the "
                 "time range. Each point is the highest five-minute average of its step.",
                 line(top(10, f"sum by (comm) ({recorded(of(COMMANDS))})"), "{{comm}}"), stacked=True, table=("max",))


def spawners():
    panel = table(
        12, "Top spawners", "eps",
        "Forks per second over the last five minutes. Shows the 15 pairs of command and machine with the highest rate. "
        "Each machine is a link to its fork storms.",
        {"job": ("Job", 110), "instance": ("Machine", 160), "comm": ("Command", 170)},
        {"Forks": f"topk(15, max by (job, instance, comm) ({of(SPAWNERS)}))"})
    return override(panel, "Machine", links=to_machine("${__data.fields.job}", "${__data.fields.instance}"))


def failing():
    ranking = f"topk(15, sum by (job, comm) ({of(FAILING)}))"
    panel = table(
        12, "Failed exits by command", "eps",
        f"Process exits {FAILED}, per second over the last five minutes, and their share of the command's exits. "
        "Shows the 15 commands with the highest rate.",
        {"job": ("Job", 110), "comm": ("Command", 180)},
        {"Failed exits": ranking, "Share": among(f"max by (job, comm) ({of(FAILING_SHARE)})", ranking, "job, comm")})
    return override(panel, "Share", unit="percentunit", decimals=0, min=0, max=1, color={"mode": "continuous-GrYlRd"},
                    custom__width=140,
                    custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})


def worst(title, unit, description, most, record, **defaults):
    link = to_machine("${__field.labels.job}", "${__field.labels.instance}")
    shown = TEN_HIGHEST if most == "topk" else TEN_LOWEST
    return bars(12, title, unit, f"{description} {shown} Each machine is a link to its fork storms.",
                f"{most}(10, max by (job, instance) ({of(record)}))", links=link, **defaults)
