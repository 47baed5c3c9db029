// The texts of METRICS.md for each metric, beyond the catalogue: meaning, when to investigate, and an example query.
// Used only to generate that page.
#pragma once

#include <array>
#include <string_view>

namespace procevent {

// The texts of one metric.
struct MetricText {
  std::string_view name;
  std::string_view meaning;
  std::string_view investigate_when;  // may be empty
  std::string_view example;           // PromQL
};

// In the order of the catalogue.
inline constexpr std::array kMetricTexts{
    MetricText{"procevent_events_total",
               "Kernel events received, by type: ack, fork, exec, exit, uid, gid, sid, ptrace, comm, coredump, "
               "unknown. `fork` includes new threads, and `exit` is counted per thread.",
               "`unknown` grows: the kernel is newer than this exporter.",
               "sum by (instance, event) (rate(procevent_events_total{event!=\"ack\"}[1m]))"},
    MetricText{
        "procevent_events_lost_total",
        "Events that the kernel numbered on this CPU but could not queue: the receive buffer was full, or the "
        "kernel had no memory. The count is exact: it comes from gaps in the kernel's own sequence numbers. A "
        "loss becomes visible with the next event of that CPU. No series with a narrowed event mask (`source.events`).",
        "it grows: raise `source.receive_buffer`, or give the exporter more CPU. If "
        "`procevent_socket_drops_total` does not grow, the kernel had no memory.",
        "sum by (instance) (increase(procevent_events_lost_total[5m])) > 0"},
    MetricText{
        "procevent_loss_exact",
        "1 if `procevent_events_lost_total` counts every loss, 0 if the event mask (`source.events`) is narrowed. "
        "With a narrowed mask only `procevent_socket_drops_total` shows losses.",
        "it is 0 although you did not narrow the mask.", "procevent_loss_exact == 0"},
    MetricText{"procevent_socket_drops_total", "Messages dropped at a full receive buffer, as counted by the kernel.",
               "it grows, as for `procevent_events_lost_total`.", "increase(procevent_socket_drops_total[5m]) > 0"},
    MetricText{
        "procevent_messages_rejected_total",
        "Received messages that were not counted as events. `foreign_sender`: not sent by the kernel. `oversized`: "
        "longer than any datagram of the connector. `kernel_error`: the kernel reports an error. `overrun`: the "
        "kernel reports that it lost data. `reserved_type`: a netlink type without a defined meaning. "
        "`foreign_connector`: from another connector of the kernel. `truncated_netlink_header`, "
        "`truncated_connector_header`, `truncated_event_header`, `truncated_event_body`: the message ends in "
        "that part. `wrong_length`: surplus bytes follow the event. `repeated`: both sockets of a socket change "
        "delivered the message, and the exporter counted it once.",
        "`foreign_sender` grows: a process with CAP_NET_ADMIN forges events. Also when `truncated_*` or "
        "`wrong_length` grow: the kernel's message format is unknown to this exporter.",
        "sum by (instance, reason) (increase(procevent_messages_rejected_total[1h])) > 0"},
    MetricText{
        "procevent_listener_up",
        "1 while the subscription is proved, its canary returns, and the reader runs. 0 otherwise, and "
        "`/-/ready` then names the cause. A reader still counts as running until it is 5 seconds late for its next "
        "step, which is the next canary at the latest. Its last numbers are served meanwhile. In a replay, 1 while the "
        "capture is readable.",
        "it is 0.", "procevent_listener_up == 0"},
    MetricText{"procevent_replayed",
               "1 if `source.replay` names a capture: the values belong to the machine and time of the recording. 0 if "
               "the exporter subscribes to the kernel.",
               "it is 1 on a machine that is not a demonstration.", "procevent_replayed == 1"},
    MetricText{
        "procevent_listener_restarts_total",
        "Connector sockets reopened since start. `no_ack`: the subscription was not proved. `silence`: the canary "
        "did not return. `fault`: the socket failed. `unseen_forks`: the canary returned, but the kernel had counted "
        "forks whose events were not sent.",
        "`silence` or `unseen_forks` grows: another program unsubscribed all listeners of the kernel's connector.",
        "increase(procevent_listener_restarts_total[1h]) > 0"},
    MetricText{"procevent_blind_seconds_total",
               "Time without a working subscription. The kernel does not number events of that time, so "
               "`procevent_events_lost_total` does not include them.",
               "it grows.", "1 - rate(procevent_blind_seconds_total[1h])   # share of the time with a subscription"},
    MetricText{"procevent_forks_unseen_total",
               "Forks that the kernel counted (/proc/stat) while the exporter was unsubscribed, or in a gap too short "
               "to be detected otherwise. An upper bound: a fork concurrent with a read of /proc/stat may be included. "
               "No series with a narrowed event mask, or while /proc/stat is unreadable.",
               "it grows.", "increase(procevent_forks_unseen_total[1h])"},
    MetricText{"procevent_kernel_forks_total",
               "The kernel's own count of forks since the exporter started (/proc/stat). It verifies "
               "`procevent_events_total{event=\"fork\"}`. No series with a narrowed event mask, while /proc/stat is "
               "unreadable, or in a scrape that the reader could not complete in time.",
               "it exceeds the sum of fork events, lost events and `procevent_forks_unseen_total`.",
               "procevent_kernel_forks_total - on (instance, job) procevent_events_total{event=\"fork\"}   # lost "
               "or unseen"},
    MetricText{"procevent_receive_queue_peak_bytes",
               "Highest fill level of the receive buffer in the last minute. No series while there is no socket.",
               "it approaches the limit: losses follow.",
               "max_over_time(procevent_receive_queue_peak_bytes[1h]) / procevent_receive_queue_limit_bytes"},
    MetricText{"procevent_receive_queue_limit_bytes",
               "Size of the receive buffer, in bytes as charged by the kernel: twice `source.receive_buffer`. An event "
               "takes 832 bytes of it on current kernels. No series while there is no socket.",
               "it is less than twice `source.receive_buffer`: CAP_NET_ADMIN is missing.",
               "min by (instance) (procevent_receive_queue_limit_bytes) / 2 ^ 20   # MiB"},
    MetricText{"procevent_event_delay_seconds",
               "Time from the kernel's timestamp of an event until the exporter counts it, for all events except ACKs. "
               "Delays up to the drain interval (10 ms) are expected.",
               "the 99th percentile exceeds 0.1: the reader does not get enough CPU.",
               "histogram_quantile(0.99, sum by (instance, le) (rate(procevent_event_delay_seconds_bucket[5m])))"},
    MetricText{"procevent_reader_cpu_seconds_total", "CPU time of the reader thread.",
               "its rate approaches 1: the reader is the bottleneck.",
               "rate(procevent_reader_cpu_seconds_total[5m])   # CPUs"},
    MetricText{"procevent_forks_total",
               "Processes forked, by command of the parent that the kernel reports. With CLONE_PARENT (used by runc) "
               "that is the parent of the process that forked.",
               "one command forks far more than usual.",
               "topk(10, sum by (comm) (rate(procevent_forks_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_threads_started_total", "Threads started, not counting the first thread of a process.", "",
               "topk(10, sum by (comm) (rate(procevent_threads_started_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_threads_ended_total", "Threads ended, not counting the last thread of a process.", "",
               "sum by (instance) (rate(procevent_threads_ended_total{comm!=\"[retired comms here]\"}[1m]))"},
    MetricText{"procevent_execs_total",
               "Programs executed, by the name of the new program. A program that renames itself before the exporter "
               "reads its name (within some milliseconds) is counted under its new name.",
               "", "topk(10, sum by (comm) (rate(procevent_execs_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_exits_total",
               "Processes ended, by outcome: `success`, exit status 0; `failure`, another exit status; `signal`, ended "
               "by a signal.",
               "the share of `failure` or `signal` rises.",
               "  sum by (comm) (rate(procevent_exits_total{outcome!=\"success\"}[5m]))\n"
               "/ sum by (comm) (rate(procevent_exits_total[5m]))"},
    MetricText{"procevent_coredumps_total", "Core dumps, whether or not a file was written.", "it grows.",
               "sum by (instance, comm) (increase(procevent_coredumps_total{comm!=\"[retired comms here]\"}[1h])) > "
               "0"},
    MetricText{"procevent_unexeced_exits_total",
               "Processes with a received fork event that ended without an exec: for example the subshells of a shell "
               "pipeline, the workers of a server, or a fork bomb.",
               "",
               "topk(10, sum by (comm) (rate(procevent_unexeced_exits_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{
        "procevent_credential_changes_total",
        "Changes of the effective user or group: `gained_root`, `left_root` or `other`. `other` includes changes "
        "of threads other than the leader, and changes from an unknown previous state. The kernel reports the "
        "credential change of a setuid program before its exec. Its `gained_root` is therefore counted under the "
        "name of the caller.",
        "`gained_root` appears for a command that should not gain root.",
        "sum by (instance, comm) (increase(procevent_credential_changes_total{effect=\"gained_root\"}[1h])) "
        "> 0"},
    MetricText{"procevent_ptrace_total", "Attachments and detachments by a tracer, by its command.",
               "it grows on a machine where no debugger is expected.",
               "sum by (instance, comm) (increase(procevent_ptrace_total{action=\"attach\"}[1h])) > 0"},
    MetricText{"procevent_comms", "Commands that have their own series.", "it reaches the limit.",
               "procevent_comms / procevent_comms_limit > 0.9"},
    MetricText{"procevent_comms_limit", "Maximum number of commands that have their own series (`comms.limit`).", "",
               "procevent_comms_limit"},
    MetricText{"procevent_comms_overflowed_total",
               "Lookups of new commands that found the table full. These commands share the series "
               "`[other comms beyond limit]`. A name that returns after it was forgotten is counted again.",
               "it grows: raise `comms.limit`, or combine names with `name_groups`.",
               "increase(procevent_comms_overflowed_total[1h]) > 0"},
    MetricText{
        "procevent_exit_code",
        "Exit status of ended processes, or 128 plus the signal number. With `histograms.exit_code.by_comm` there "
        "is one histogram per `comm` instead of one for all processes.",
        "",
        "sum by (instance) (rate(procevent_exit_code_bucket{le=\"127\"}[5m])) - sum by (instance) "
        "(rate(procevent_exit_code_bucket{le=\"126\"}[5m]))   # 127: not found"},
    MetricText{"procevent_exit_statuses_total",
               "Processes ended with a status other than 0, by status. The series of a status appears with its first "
               "process.",
               "127 grows: a program was not found. Also when 126 grows: a program was not executable.",
               "topk(5, sum by (instance, code) (increase(procevent_exit_statuses_total[1h])))"},
    MetricText{"procevent_exit_signals_total", "Processes ended by a signal, by signal.",
               "SIGSEGV, SIGABRT or SIGBUS grow: crashes. Also when SIGKILL grows: possibly the OOM killer.",
               "sum by (instance, signal) "
               "(increase(procevent_exit_signals_total{signal=~\"SIGSEGV|SIGABRT|SIGBUS|SIGKILL\"}[5m])) > 0"},
    MetricText{
        "procevent_process_lifetime_seconds",
        "Time from fork to the exit of the last thread, by the kernel's clock. It covers processes with both "
        "events received and no loss between them. With `histograms.lifetime.by_comm` there is one histogram per "
        "`comm` instead of one for all processes.",
        "many lifetimes are short: a crash loop, or a shell loop that starts programs.",
        "histogram_quantile(0.5, sum by (instance, le) (rate(procevent_process_lifetime_seconds_bucket[5m])))"},
    MetricText{"procevent_pending", "Events not yet counted under a command because its name is not known yet.",
               "it stays high at a low event rate: the log reports whether `/proc` hides the processes of other users.",
               "sum by (instance) (min_over_time(procevent_pending[5m])) > 100"},
    MetricText{
        "procevent_attributions_total",
        "Programs, and processes with an invalidated name, by the source of their name. `proc`: read from /proc. "
        "`comm_event`: reported by the kernel. `unattributed`: no source named them before they ended. No series "
        "with a mask that lacks fork, exec or exit.",
        "the share of `unattributed` rises: programs end before the exporter reads their name from /proc.",
        "  sum by (instance) (rate(procevent_attributions_total{source!=\"unattributed\"}[5m]))\n"
        "/ sum by (instance) (rate(procevent_attributions_total[5m]))"},
    MetricText{"procevent_peak_events_per_second",
               "Highest event rate within any window of 100 ms, or 1 s, of the last minute, by the timestamps of the "
               "events. It shows bursts that `rate()` averages out.",
               "it is far above the average: fork storms.",
               "  max by (instance) (procevent_peak_events_per_second{event=\"fork\", window=\"100ms\"})\n"
               "/ sum by (instance) (rate(procevent_events_total{event=\"fork\"}[1m]))"},
    MetricText{"procevent_processes",
               "Processes in the process table, which are the living ones. No series with a mask that lacks fork, exec "
               "or exit.",
               "it approaches `processes.limit`.", "procevent_processes"},
    MetricText{"procevent_threads",
               "Threads of the processes in the process table. No series with a mask that lacks fork, exec or exit.",
               "it approaches `procevent_pid_max`.", "procevent_threads / procevent_pid_max > 0.8"},
    MetricText{"procevent_processes_found_total",
               "Processes added to the process table without a fork event. `bootstrap`: they existed before the "
               "exporter started. `reconciliation`: found in /proc after a loss, or before their fork event was "
               "read. `event`: another event named them. No series with a mask that lacks fork, exec or exit.",
               "`reconciliation` or `event` grow: events were lost, or `processes.limit` is too small.",
               "increase(procevent_processes_found_total{by!=\"bootstrap\"}[1h])"},
    MetricText{"procevent_processes_dropped_total",
               "Processes removed from the process table without an exit event. `evicted`: the table was full. `gone`: "
               "no longer in /proc after a loss. `replaced`: another process has their PID. No series with a mask that "
               "lacks fork, exec or exit.",
               "`evicted` grows: raise `processes.limit`.",
               "increase(procevent_processes_dropped_total{why=\"evicted\"}[1h]) > 0"},
    MetricText{"procevent_pid_max", "Maximum number of processes and threads on this machine.", "",
               "procevent_pid_max / sum by (instance, job) (rate(procevent_events_total{event=\"fork\"}[5m]))   # "
               "seconds until PIDs are reused"},
    MetricText{"procevent_build_info", "Constant 1, labelled with version and compiler.", "",
               "count by (version) (procevent_build_info)"},
    MetricText{"procevent_config_last_reload_successful",
               "1 if the last load of the configuration succeeded, at the start or at a SIGHUP.",
               "it is 0: the log names each error, and the previous configuration is still in use.",
               "procevent_config_last_reload_successful == 0"},
    MetricText{"procevent_config_last_reload_success_timestamp_seconds",
               "Unix time of the last successful load of the configuration.", "",
               "time() - procevent_config_last_reload_success_timestamp_seconds"},
    MetricText{"procevent_config_restart_pending",
               "1 if a loaded configuration change takes effect only after a restart.",
               "it is 1: the log names the keys.", "procevent_config_restart_pending == 1"},
    MetricText{
        "procevent_http_requests_refused_total",
        "HTTP requests refused. `not_allowed`: `web.allow` does not include the address, so the connection was "
        "closed before the request was read. `too_many_scrapes`: answered 503 because `web.max_requests` scrapes "
        "were being served. `slow_clients`: answered 503 because clients that read slowly, or not at all, held pages "
        "of more than 32 MiB (compressed).",
        "it grows: the log names some of the addresses.",
        "sum by (instance, reason) (increase(procevent_http_requests_refused_total[5m])) > 0"},
    MetricText{"process_cpu_seconds_total", "User and system CPU time of the exporter.", "",
               "rate(process_cpu_seconds_total{job=\"procevent\"}[5m])"},
    MetricText{"process_resident_memory_bytes", "Resident memory of the exporter.", "it grows for days.",
               "process_resident_memory_bytes{job=\"procevent\"} / 2 ^ 20"},
    MetricText{"process_virtual_memory_bytes",
               "Virtual memory of the exporter. Most of it is reserved for the stacks of its threads.", "",
               "process_virtual_memory_bytes{job=\"procevent\"}"},
    MetricText{"process_virtual_memory_max_bytes", "Maximum virtual memory of the exporter. +Inf: unlimited.", "",
               "process_virtual_memory_max_bytes{job=\"procevent\"}"},
    MetricText{"process_start_time_seconds", "Unix time when the exporter started.",
               "it changes: the exporter was restarted.",
               "time() - process_start_time_seconds{job=\"procevent\"}   # uptime in seconds"},
    MetricText{"process_open_fds", "Open file descriptors of the exporter.", "it approaches `process_max_fds`.",
               "process_open_fds{job=\"procevent\"} / process_max_fds > 0.8"},
    MetricText{"process_max_fds", "Maximum number of open file descriptors of the exporter. +Inf: unlimited.", "",
               "process_max_fds{job=\"procevent\"}"},
    MetricText{"process_threads", "Threads of the exporter, 64 of which serve HTTP.", "",
               "process_threads{job=\"procevent\"}"},
};

}  // namespace procevent
