"""How all machines of a job do, however many: by the records of the fleet (job*:procevent_*), and by those of which an
instance has one each (instance:procevent_*). From a machine here a link goes to its fork storms."""

from parts import (ALARM, MACHINE, WHOLE, among, bars, dashboard, graph, line, or_zero, override, recorded, share, stat,
                   table, to_machine, top)

JOB = 'job=~"$job"'
TARGETS, ANSWERING = "job:procevent_up:count", "job:procevent_up:sum"
COMMANDS, SPAWNERS = "job_comm:procevent_forks:topk200_rate5m", "job_instance_comm:procevent_forks:topk100_rate5m"
FAILING, FAILING_SHARE = "job_comm:procevent_failures:topk100_rate5m", "job_comm:procevent_failures:ratio_rate5m"
LIVE = "Not known of a replay."


def fleet():
    return dashboard(
        "procevent-fleet", "Fleet",
        "How all machines of a job do, however many. By procevent_exporter; asks recording rules alone.",
        ("At a glance", glance()),
        ("Over time",
         (8, by_job("Forks", "eps", "New processes a second.", "job:procevent_forks:rate5m"),
          by_job("Failed or killed", "percentunit", "The share of process ends that were a failure or a signal.",
                 "job:procevent_failures:ratio_rate5m", max=1),
          by_job("Events lost", "percentunit",
                 "The share of events that found no room in the receive queue. Exact, of those that know it.",
                 "job:procevent_loss:ratio_rate5m"))),
        ("Who forks, and where", (10, commands(), spawners())),
        ("What fails", (9, failing(), worst("Fails most", "eps", "Ends a second that were a failure or a signal.",
                                            "topk", "instance:procevent_failures:rate5m"))),
        ("The worst machines",
         (8, worst("Worst second", "eps", "The most forks, threads too, in any second of the last minute.",
                   "topk", "instance:procevent_forks_peak:max"),
          worst("Soonest PID wrap", "s", "How soon a PID comes again, by the forks of 15 minutes.",
                "bottomk", "instance:procevent_pid_wrap_seconds:rate15m"))),
        ("What was missed",
         (8, worst("Lost most", "percentunit", "The share of the events of an hour that were lost.",
                   "topk", "instance:procevent_loss:ratio_rate1h", max=1),
          worst("Least complete", "percentunit",
                f"The share of what happened that was counted in the last hour, blind time and all. {LIVE}",
                "bottomk", "instance:procevent_completeness:ratio_rate1h", max=1))),
        fleet=True)


def of(name):
    return f"{name}{{{JOB}}}"


def glance():
    silent = f"sum({of(TARGETS)} - {of(ANSWERING)})"
    blind = of("instance:procevent_blind:ratio_rate1h")
    bad, ends = (f"sum({of(f'job:procevent_{what}:rate5m')})" for what in ("failures", "exits"))
    return (
        4,
        stat(3, "Machines", "locale", f"How many are to be scraped. {LIVE}", f"sum({of(TARGETS)})"),
        stat(3, "Not answering", "locale", f"Machines whose exporter Prometheus cannot scrape. {LIVE}", silent, ALARM),
        stat(3, "Deaf in an hour", "locale", f"Machines not heard for 0.1 % of the last hour or more. {LIVE}",
             or_zero(f"count({blind} >= 0.001)", f"count({blind})"), ALARM),
        stat(3, "Completeness", "percentunit",
             "The share of what happened that was counted, in the last hour, on the machine where it is least: with "
             f"the time in which nobody listened. {LIVE}",
             f"min({of('job:procevent_completeness:min_ratio_rate1h')})", WHOLE, decimals=2),
        stat(3, "Forks", "eps", "New processes a second, on all machines.",
             f"sum({of('job:procevent_forks:rate5m')})", decimals=0),
        stat(3, "Worst second", "eps", "The most forks, threads too, in any second of the last minute of any machine.",
             f"max({of('job:procevent_forks_peak:max')})"),
        stat(3, "Failed or killed", "percentunit", "The share of process ends that were a failure or a signal.",
             share(bad, ends), decimals=1),
        stat(3, "Soonest PID wrap", "s", "How soon a PID comes again, on the machine where that is soonest.",
             f"min({of('job:procevent_pid_wrap_seconds:min_rate15m')})"))


def by_job(title, unit, description, record, **defaults):
    return graph(8, title, unit, description, line(f"max by (job) ({recorded(of(record))})", "{{job}}"), **defaults)


def commands():
    return graph(12, "Forks by command", "eps",
                 "New processes, by the command that forked them: the ten that forked most in the time shown. Each "
                 "point is an average over five minutes, the highest of its step.",
                 line(top(10, f"sum by (comm) ({recorded(of(COMMANDS))})"), "{{comm}}"), stacked=True, table=("max",))


def spawners():
    panel = table(
        12, "Top spawners", "eps",
        "The 15 commands on their machines that fork most, per second of the last five minutes. A machine is a link to "
        "its fork storms.",
        {"job": ("Job", 110), "instance": ("Machine", 160), "comm": ("Command", 170)},
        {"Forks": f"topk(15, max by (job, instance, comm) ({of(SPAWNERS)}))"})
    return override(panel, "Machine", links=to_machine("${__data.fields.job}", "${__data.fields.instance}"))


def failing():
    ranking = f"topk(15, sum by (job, comm) ({of(FAILING)}))"
    panel = table(
        12, "Fails most, by command", "eps",
        "The 15 commands that fail or are killed most, per second of the last five minutes, and which share of their "
        "ends that is.",
        {"job": ("Job", 110), "comm": ("Command", 180)},
        {"Bad ends": ranking, "Share": among(f"max by (job, comm) ({of(FAILING_SHARE)})", ranking, "job, comm")})
    return override(panel, "Share", unit="percentunit", decimals=0, min=0, max=1, color={"mode": "continuous-GrYlRd"},
                    custom__width=140,
                    custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})


def worst(title, unit, description, most, record, **defaults):
    link = to_machine("${__field.labels.job}", "${__field.labels.instance}")
    return bars(12, title, unit, f"{description} The ten worst machines; each is a link to its fork storms.",
                f"{most}(10, max by (job, instance) ({of(record)}))", links=link, **defaults)
