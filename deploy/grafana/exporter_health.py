"""The dashboard of the exporter itself: subscription, losses, cost, and how much of its limits is in use."""

from parts import (ALARM, BUILD, EVENTS, FULL, LOST, MACHINE, NOTICE, PROGRAMS, TEN_HIGHEST, dashboard, each, graph,
                   heatmap, highest, increase, line, machines, of, or_zero, ours, peak, per_second, quantiles, rate,
                   share, stat, table, top, top_or_none, total)

DELAY = "procevent_event_delay_seconds_bucket"
REFUSED = "procevent_exporter_http_requests_refused_total"
RESTARTS, REJECTED = "procevent_subscription_restarts_total", "procevent_messages_rejected_total"
QUEUE, QUEUE_LIMIT = "procevent_receive_queue_peak_bytes", "procevent_receive_queue_limit_bytes"
TAKEN = "procevent_snapshot_timestamp_seconds"
UP = "instance:procevent_exporter_up:max"


def exporter_health():
    return dashboard(
        "procevent-exporter-health", "Exporter health",
        "Subscription, losses, cost and limits of procevent_exporter itself.",
        ("Overview", *overview()),
        ("Subscription",
         (8, exporters(), events(), rejected()),
         (8, restarts(), unsubscribed(), unseen())),
        ("Receive queue and loss", (8, queue(), lost(), drops())),
        ("Reader",
         (9, delay(), quantiles(6, "Event delay, percentiles", "the event delay", DELAY), reader()),
         (8, pending(), attributions(), corrected())),
        ("Limits", (8, groups_used(), retired(), samples())),
        ("Cost",
         (8, cpu(), memory(), scrapes()),
         (8, files(), refused(), stale()),
         (7, started(), versions())))


# --- Overview ---

def overview():
    return (
        (3,
         machines_where("Exporters down", "Exporters that Prometheus cannot scrape. Replays are not included.", of(UP),
                        "== 0", ALARM),
         machines_where("Subscription lost", "Exporters that receive no events from the kernel. See /-/ready.",
                        of("procevent_up"), "== 0", ALARM),
         machines_where("Config rejected", "Exporters that rejected the last reload. The log names the errors.",
                        of("procevent_exporter_config_last_reload_successful"), "== 0", ALARM),
         machines_where("Restart pending", "Exporters with a configuration that needs a restart.",
                        of("procevent_exporter_config_restart_pending"), "== 1"),
         machines_where("Losses not exact", "Exporters with a narrowed source.events: their losses are unknown.",
                        of("procevent_loss_exact"), "== 0"),
         machines_where("Replays", "Exporters that replay a capture: their numbers are of another machine and time.",
                        of("procevent_replayed"), "== 1")),
        (3,
         total_growth("Events lost", "Events dropped at a full receive queue, in the time range.", LOST, ALARM),
         total_growth("Subscription restarts", "New subscriptions in the time range, for any reason.", RESTARTS),
         total_growth("Messages rejected", "Messages that were not counted as events, in the time range.", REJECTED),
         total_growth("Requests refused",
                      "Requests refused by web.allow, by web.max_requests, or because of slow clients, in the time "
                      "range.", REFUSED),
         stat(4, "Receive queue peak", "percentunit",
              "Highest share of the receive queue in use in the last minute, on any selected machine. Not available "
              "for replays.", f"max({share(each(of(QUEUE)), each(of(QUEUE_LIMIT)))})", FULL, decimals=1),
         stat(4, "Groups in use", "percentunit",
              "Highest share of groups.limit in use. At 100 % new commands share a row.",
              f"max({share(each(of('procevent_groups')), each(of('procevent_groups_limit')))})", FULL, decimals=1)))


def machines_where(title, description, series, comparison, thresholds=NOTICE):
    """Counts the exporters for which the comparison holds; 0 is the usual value."""
    found, known = f"count({each(series)} {comparison})", f"count({each(series)})"
    return stat(4, title, "locale", description, or_zero(found, known), thresholds)


def total_growth(title, description, name, thresholds=NOTICE):
    return stat(4, title, "locale", description, f"sum({increase(name)})", thresholds, decimals=0)


# --- Subscription ---

def exporters():
    up, subscribed = each(of(UP)), each(f"min_over_time({of('procevent_up')}[$__rate_interval])")
    return graph(8, "Exporters", "short",
                 "Exporters that are scrape targets, that answer Prometheus, and that are subscribed to the kernel's "
                 "events. Replays are not included.",
                 line(f"count({up})", "targets"), line(f"sum({up})", "up"),
                 line(f"sum({up} * {subscribed})", "subscribed"), decimals=0)


def events():
    return graph(8, "Events received", per_second("events"),
                 "Events received per second by type, on all selected machines. fork and exit include threads.",
                 line(total("event", rate(EVENTS)), "{{event}}"), stacked=True,
                 colors=(("fork", "blue"), ("exec", "purple"), ("exit", "light-blue"), ("comm", "yellow")))


def rejected():
    reasons = total("reason", rate(REJECTED))
    return graph(8, "Messages rejected", per_second("messages"),
                 "Messages that were not counted as events, by reason. foreign_sender: a process forges events.",
                 line(top_or_none(10, "reason", reasons), "{{reason}}"))


def restarts():
    return graph(8, "Subscription restarts", per_second("restarts"),
                 "New subscriptions, by reason. silence, unseen_clones: another program ended the kernel's "
                 "subscriptions.",
                 line(total("reason", rate(RESTARTS)), "{{reason}}"))


def unsubscribed():
    return graph(8, "Time unsubscribed", "percentunit",
                 f"Share of time without a working subscription. {TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_unsubscribed_seconds_total"))))


def unseen():
    return graph(8, "Clones while unsubscribed", per_second("clones"),
                 "Processes and threads that the kernel counted while the exporter was not subscribed. It is an upper "
                 f"bound. {TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_unseen_clones_total"))))


# --- Receive queue and loss ---

def queue():
    return graph(8, "Receive queue usage", "percentunit",
                 f"Peak share of the receive queue in use. At 100 % events are lost. {TEN_HIGHEST}",
                 machines(highest("instance", share(peak(QUEUE), peak(QUEUE_LIMIT)))), limit=FULL)


def lost():
    return graph(8, "Events lost", per_second("events"),
                 f"Events lost, computed from the kernel's sequence numbers. {TEN_HIGHEST}",
                 machines(total("instance", rate(LOST))))


def drops():
    return graph(8, "Socket drops", per_second("messages"),
                 f"Messages dropped at a full receive queue, counted by the kernel. {TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_socket_drops_total"))))


# --- Reader ---

def delay():
    return heatmap(12, "Event delay", "s",
                   "Events by the time between the kernel's timestamp and their counting. A delay of up to the drain "
                   "interval (10 ms) is intended.",
                   total("le", f"increase({of(DELAY)}[$__rate_interval])"))


def reader():
    return graph(6, "Reader CPU", "percentunit",
                 f"Share of one CPU that the reader uses. Near 100 % the reader is the bottleneck. {TEN_HIGHEST}",
                 machines(total("instance", rate("procevent_exporter_reader_cpu_seconds_total"))))


def pending():
    return graph(8, "Counts pending attribution", "short",
                 "Counts that wait for a command's name. They are attributed within milliseconds.",
                 line(total("activity", of("procevent_pending")), "{{activity}}"))


def attributions():
    return graph(8, "Program names by source", PROGRAMS,
                 "Programs by the source of their name. proc: read from /proc. comm_event: from the kernel's event. "
                 "unattributed: the process ended first.",
                 line(total("source", rate("procevent_attributions_total")), "{{source}}"), stacked=True)


def corrected():
    return graph(8, "Process table corrections", per_second("processes"),
                 "Processes added to the table without a fork event, and removed without an exit event. Both grow "
                 "after a loss.",
                 line(total("reason", rate("procevent_processes_found_total", 'reason!="bootstrap"')),
                      "found: {{reason}}"),
                 line(total("reason", rate("procevent_processes_dropped_total")), "dropped: {{reason}}"))


# --- Limits ---

def groups_used():
    used = share(peak("procevent_groups"), peak("procevent_groups_limit"))
    return graph(8, "Groups in use", "percentunit",
                 "Share of groups.limit in use. At 100 % new commands share the row [groups beyond the limit]: raise "
                 f"groups.limit, or merge names with name_groups. {TEN_HIGHEST}",
                 machines(highest("instance", used)), limit=FULL)


def retired():
    return graph(8, "Counts retired", per_second("counts"),
                 "Counts of commands that lost their series, by activity. They remain in the host totals. Rises in steps, "
                 "when commands without activity are retired.",
                 line(total("activity", rate("procevent_retired_total")), "{{activity}}"), stacked=True)


def samples():
    return graph(8, "Samples per scrape", "short", f"Samples that one scrape returns. {TEN_HIGHEST}",
                 machines(highest("instance", ours(peak("scrape_samples_scraped")))), decimals=0)


# --- Cost ---

def cpu():
    return graph(8, "CPU", "percentunit",
                 f"CPU time of the whole exporter as a share of one CPU. {TEN_HIGHEST}",
                 machines(total("instance", ours(rate("process_cpu_seconds_total")))))


def memory():
    return graph(8, "Resident memory", "bytes", f"Resident memory of the exporter. {TEN_HIGHEST}",
                 machines(highest("instance", ours(peak("process_resident_memory_bytes")))))


def scrapes():
    return graph(8, "Scrape duration", "s", f"Duration of a scrape, measured by Prometheus. {TEN_HIGHEST}",
                 machines(highest("instance", ours(peak("scrape_duration_seconds")))))


def files():
    used = ours(share(peak("process_open_fds"), peak("process_max_fds")))
    return graph(8, "Open files", "percentunit",
                 f"Open file descriptors as a share of their limit. {TEN_HIGHEST}",
                 machines(highest("instance", used)))


def refused():
    return graph(8, "Requests refused", per_second("requests"),
                 "Requests refused, by reason. not_allowed: refused by web.allow.",
                 line(total("reason", rate(REFUSED)), "{{reason}}"))


def stale():
    def age(at=""):
        return highest("instance", f"timestamp({of(TAKEN)}{at}) - {of(TAKEN)}{at}")

    return graph(8, "Snapshot age", "s",
                 "Age of the numbers at the scrape. An overloaded exporter serves the last complete snapshot. Shows "
                 "the ten machines with the highest value at the end of the time range.",
                 line(top(10, age(), age(" @ end()")), MACHINE))


def started():
    start = highest("instance", ours(of("process_start_time_seconds")))
    return table(12, "Latest starts", "s",
                 "Time since the exporter's start. Shows the ten exporters that were started last.",
                 {"instance": ("Machine", 300)}, {"Uptime": f"bottomk(10, time() - {start})"}, rising=True)


def versions():
    kinds = "version, compiler"
    return table(12, "Versions", "short", "Number of exporters of each version and compiler.",
                 {"version": ("Version", 160), "compiler": ("Compiler", 160)},
                 {"Exporters": f"topk(20, count by ({kinds}) ({highest(f'job, instance, {kinds}', of(BUILD))}))"},
                 decimals=0)
