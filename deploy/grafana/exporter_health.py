"""Whether the exporter hears everything, what it costs, and how near it is to its bounds."""

from parts import (ALARM, BUILD, EVENTS, FULL, LOST, NUMBERED, bars, dashboard, each, graph, heatmap, highest, increase,
                   line, machines, of, or_zero, ours, peak, quantiles, rate, share, stat, table, top_or_none, total)

DELAY = "procevent_event_delay_seconds_bucket"
REFUSED = "procevent_http_requests_refused_total"
UP = "instance:procevent_up:max"


def exporter_health():
    return dashboard(
        "procevent-exporter-health", "Exporter health",
        "Whether procevent_exporter hears everything, what it costs, and how near it is to its bounds.",
        ("At a glance", glance()),
        ("Hearing the kernel",
         (8, exporters(), events(), rejected()),
         (8, restarts(), blind(), unseen())),
        ("Receive queue and loss", (8, queue(), lost(), drops())),
        ("The reader",
         (9, delay(), quantiles(6, "Event delay, percentiles", "the events waited", DELAY), reader()),
         (8, waiting(), attributions(), tracked())),
        ("Bounds", (8, rows_used(), beyond(), series())),
        ("What it costs",
         (8, cpu(), memory(), scrapes()),
         (8, files(), refused(), started()),
         (4, versions())))


# --- At a glance ---

def glance():
    return (
        4,
        machines_where("Not scraped", "Exporters that Prometheus cannot scrape. Not known of a replay.", of(UP),
                       "== 0"),
        machines_where("Deaf", "Exporters that do not hear the kernel: /-/ready tells why.",
                       of("procevent_listener_up"), "== 0"),
        machines_where("Losses not exact", "Exporters with a narrowed event mask: the kernel's numbers tell no losses.",
                       of("procevent_loss_exact"), "== 0"),
        machines_where("Misconfigured", "Exporters that refused their last configuration: the log tells why.",
                       of("procevent_config_last_reload_successful"), "== 0"),
        machines_where("Restart needed", "Exporters with a configuration that is in force only after a restart.",
                       of("procevent_config_restart_pending"), "== 1"),
        machines_where("Replays", "Exporters that replay a capture: their numbers are not of this machine and time.",
                       of("procevent_replayed"), "== 1"),
        in_all("Events lost", "Events that found no room in the receive queue, in the time shown.", LOST),
        in_all("Requests refused", "Those that web.allow or web.max_requests turned away, in the time shown.", REFUSED))


def machines_where(title, description, series, comparison):
    """How many there are: none, where all is well."""
    found, known = f"count({each(series)} {comparison})", f"count({each(series)})"
    return stat(3, title, "locale", description, or_zero(found, known), ALARM)


def in_all(title, description, name):
    return stat(3, title, "locale", description, f"sum({increase(name)})", ALARM, decimals=0)


# --- Hearing the kernel ---

def exporters():
    up, hearing = each(of(UP)), each(f"min_over_time({of('procevent_listener_up')}[$__rate_interval])")
    return graph(8, "Exporters", "short", "How many there are, answer Prometheus, and hear the kernel; no replays.",
                 line(f"count({up})", "there are"), line(f"sum({up})", "answer"),
                 line(f"sum({up} * {hearing})", "hear"), decimals=0)


def events():
    return graph(8, "Events received", "eps", "By type, on all machines chosen.",
                 line(total("event", rate(EVENTS, NUMBERED)), "{{event}}"), stacked=True)


def rejected():
    reasons = total("reason", rate("procevent_messages_rejected_total"))
    return graph(8, "Messages rejected", "mps",
                 "Messages that were not booked as events, by reason. foreign_sender: somebody forges events.",
                 line(top_or_none(10, "reason", reasons), "{{reason}}"))


def restarts():
    return graph(8, "Listener restarts", "cps",
                 "Fresh subscriptions, by reason. silence: another program turned the kernel's listeners off.",
                 line(total("reason", rate("procevent_listener_restarts_total")), "{{reason}}"))


def blind():
    return graph(8, "Blind time", "percentunit",
                 "The share of time without a working listener, on the ten machines where it was most.",
                 machines(total("instance", rate("procevent_blind_seconds_total"))))


def unseen():
    return graph(8, "Forks unseen", "eps",
                 "Forks that the kernel counted while nobody listened, at most; on the ten machines with the most.",
                 machines(total("instance", rate("procevent_forks_unseen_total"))))


# --- Receive queue and loss ---

def queue():
    full = share(peak("procevent_receive_queue_peak_bytes"), peak("procevent_receive_queue_limit_bytes"))
    return graph(8, "Receive queue, how full", "percentunit",
                 "The fullest that it was, on the ten machines where it was most. At 100 % events are lost.",
                 machines(highest("instance", full)), thresholds=FULL)


def lost():
    return graph(8, "Events lost", "eps", "By the kernel's own numbers, on the ten machines that lost most.",
                 machines(total("instance", rate(LOST))))


def drops():
    return graph(8, "Socket drops", "mps",
                 "Messages dropped at a full queue, as the kernel counts them, on the ten machines with the most.",
                 machines(total("instance", rate("procevent_socket_drops_total"))))


# --- The reader ---

def delay():
    return heatmap(12, "Event delay", "s",
                   "Events, by the time from the kernel's timestamp to their booking. Up to the drain interval (10 ms) "
                   "is by design.",
                   total("le", f"increase({of(DELAY)}[$__rate_interval])"))


def reader():
    return graph(6, "Reader's CPU", "percentunit",
                 "Of one CPU, on the ten machines where it was most. Near 100 % the reader is the bottleneck.",
                 machines(total("instance", rate("procevent_reader_cpu_seconds_total"))))


def waiting():
    return graph(8, "Waiting for a name", "short",
                 "Events that wait for a name to be counted under. They are booked within moments.",
                 line(total("event", of("procevent_pending")), "{{event}}"))


def attributions():
    return graph(8, "How programs got their names", "eps",
                 "proc: /proc showed it; comm_event: the kernel said it; unattributed: they ended before.",
                 line(total("source", rate("procevent_attributions_total")), "{{source}}"), stacked=True)


def tracked():
    return graph(8, "Tracked without fork or end", "cps",
                 "Processes found without their fork, and dropped without their end. Both grow after a loss.",
                 line(total("by", rate("procevent_processes_found_total", 'by!="bootstrap"')), "found: {{by}}"),
                 line(total("why", rate("procevent_processes_dropped_total")), "dropped: {{why}}"))


# --- Bounds ---

def rows_used():
    used = share(peak("procevent_comms"), peak("procevent_comms_limit"))
    return graph(8, "Rows for commands, used", "percentunit",
                 "Of comms.limit, on the ten machines where it was most. At 100 % new commands share a row.",
                 machines(highest("instance", used)), thresholds=FULL)


def beyond():
    return graph(8, "Commands beyond the limit", "cps",
                 "How often a command found no row, on the ten machines with the most: raise comms.limit, or fold "
                 "names by name_groups.",
                 machines(total("instance", rate("procevent_comms_overflowed_total"))))


def series():
    return graph(8, "Samples of a scrape", "short", "Of the ten exporters with the most.",
                 machines(highest("instance", ours(peak("scrape_samples_scraped")))), decimals=0)


# --- What it costs ---

def cpu():
    return graph(8, "CPU", "percentunit", "Of one CPU, the whole exporter, on the ten machines where it was most.",
                 machines(total("instance", ours(rate("process_cpu_seconds_total")))))


def memory():
    return graph(8, "Resident memory", "bytes", "On the ten machines where it was most.",
                 machines(highest("instance", ours(peak("process_resident_memory_bytes")))))


def scrapes():
    return graph(8, "Duration of a scrape", "s", "As Prometheus sees it, of the ten exporters that took longest.",
                 machines(highest("instance", ours(peak("scrape_duration_seconds")))))


def files():
    used = ours(share(peak("process_open_fds"), peak("process_max_fds")))
    return graph(8, "Open files", "percentunit", "Of those that it may have, on the ten machines where it was most.",
                 machines(highest("instance", used)))


def refused():
    return graph(8, "Requests refused", "reqps", "By web.allow (not_allowed), or by web.max_requests.",
                 line(total("reason", rate(REFUSED)), "{{reason}}"))


def started():
    began = highest("instance", ours(of("process_start_time_seconds")))
    return bars(8, "Started last", "s", "How long the ten exporters have run that were started last.",
                f"bottomk(10, time() - {began})")


def versions():
    kinds = "version, compiler"
    return table(24, "Versions", "short", "How many exporters there are of each.",
                 {"version": ("Version", 300), "compiler": ("Compiler", 300)},
                 {"Exporters": f"topk(20, count by ({kinds}) ({highest(f'job, instance, {kinds}', of(BUILD))}))"},
                 decimals=0)
