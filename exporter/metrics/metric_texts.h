// What METRICS.md says of each metric beyond the catalogue: what it means, when to worry, and a query. Only for the
// page.
#pragma once

#include <array>
#include <string_view>

namespace procevent {

struct MetricText {
  std::string_view name;
  std::string_view meaning;
  std::string_view worry;    // may be empty
  std::string_view example;  // PromQL
};

// In the order of the catalogue.
inline constexpr std::array kMetricTexts{
    MetricText{"procevent_events_total",
               "Events received from the kernel, by type: ack, fork, exec, exit, uid, gid, sid, ptrace, comm, "
               "coredump, unknown. `fork` counts new threads too, `exit` is per thread.",
               "`unknown` grows: the kernel is newer than this program.",
               "sum by (instance, event) (rate(procevent_events_total{event!=\"ack\"}[1m]))"},
    MetricText{"procevent_events_lost_total",
               "Events that the kernel numbered on this CPU and we never received. Exact, from the gaps in the "
               "kernel's own numbering; a loss shows with that CPU's next event. Left out with a narrowed event "
               "mask.",
               "It grows: the receive queue was full. Give it more memory, or the exporter more CPU.",
               "sum by (instance) (increase(procevent_events_lost_total[5m])) > 0"},
    MetricText{"procevent_loss_exact",
               "1 if `procevent_events_lost_total` knows every loss; 0 with a narrowed event mask, which leaves "
               "only the socket's drops.",
               "It is 0 and you did not narrow the mask.", "procevent_loss_exact == 0"},
    MetricText{"procevent_socket_drops_total", "Messages dropped at a full receive queue, as the kernel counts them.",
               "It grows, as above.", "increase(procevent_socket_drops_total[5m]) > 0"},
    MetricText{"procevent_messages_rejected_total",
               "Messages that were not booked as events. `repeated`: both sockets of a changeover delivered it, and "
               "it was booked once.",
               "`foreign_sender` grows: somebody with CAP_NET_ADMIN forges events. `truncated_*`, `wrong_length`: a "
               "kernel whose format we do not know.",
               "sum by (instance, reason) (increase(procevent_messages_rejected_total[1h])) > 0"},
    MetricText{"procevent_listener_up",
               "1 while the subscription is proved, its canary comes back, and the reader answers scrapes. 0 "
               "otherwise; `/-/ready` then names the cause. In a replay 1 while the capture can be read.",
               "It is 0.", "procevent_listener_up == 0"},
    MetricText{
        "procevent_replayed",
        "1 where `source.replay` names a capture: the numbers are of the machine and the time it was recorded at. "
        "0 where the kernel is listened to.",
        "It is 1 on a machine that is not a demonstration.", "procevent_replayed == 1"},
    MetricText{"procevent_listener_restarts_total",
               "Fresh sockets opened since start: `no_ack`, the subscription was not proved; `silence`, the canary "
               "did not come back; `fault`, the socket failed.",
               "`silence` grows: another program turned the kernel's listeners off.",
               "increase(procevent_listener_restarts_total[1h]) > 0"},
    MetricText{"procevent_blind_seconds_total",
               "Time without a working listener. What happens then is not numbered by the kernel, so it is not in "
               "`procevent_events_lost_total`.",
               "It grows.", "1 - rate(procevent_blind_seconds_total[1h])   # the share of time that was heard"},
    MetricText{"procevent_forks_unseen_total",
               "Forks that the kernel counted (/proc/stat) while nobody listened, or in a silence too short to be "
               "noticed otherwise. At most: a fork in the instant of reading /proc/stat may be counted here, too. "
               "Left out with a narrowed event mask and while /proc/stat cannot be read.",
               "It grows.", "increase(procevent_forks_unseen_total[1h])"},
    MetricText{"procevent_kernel_forks_total",
               "Forks that the kernel counted since start (/proc/stat): the audit of "
               "`procevent_events_total{event=\"fork\"}`. Left out with a narrowed event mask, while /proc/stat "
               "cannot be read, and while the reader does not answer.",
               "It exceeds fork events + lost + unseen.",
               "procevent_kernel_forks_total - on (instance, job) procevent_events_total{event=\"fork\"}   # lost "
               "or unseen"},
    MetricText{"procevent_receive_queue_peak_bytes",
               "The fullest that the socket was in the last minute. Left out while there is no socket.",
               "It comes near the limit: losses are next.",
               "max_over_time(procevent_receive_queue_peak_bytes[1h]) / procevent_receive_queue_limit_bytes"},
    MetricText{"procevent_receive_queue_limit_bytes",
               "Size of the receive queue, as the kernel charges it: 832 bytes an event on current kernels. Left "
               "out while there is no socket.",
               "It is far below what was configured: CAP_NET_ADMIN is missing.",
               "min by (instance) (procevent_receive_queue_limit_bytes) / 2 ^ 20   # MiB"},
    MetricText{"procevent_event_delay_seconds",
               "Time from the kernel's timestamp of an event to its booking, for every event but ACKs. Up to the "
               "drain interval (10 ms) is by design.",
               "Its 99th percentile exceeds 0.1: the reader does not get enough CPU.",
               "histogram_quantile(0.99, sum by (instance, le) (rate(procevent_event_delay_seconds_bucket[5m])))"},
    MetricText{"procevent_reader_cpu_seconds_total", "CPU time of the reader thread.",
               "Its rate comes near 1: the reader is the bottleneck.",
               "rate(procevent_reader_cpu_seconds_total[5m])   # CPUs"},
    MetricText{"procevent_forks_total",
               "Processes forked, by the command that forked them: the parent that the kernel names.",
               "One command forks far more than usual.",
               "topk(10, sum by (comm) (rate(procevent_forks_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_threads_started_total", "Threads started, other than the first of a process.", "",
               "topk(10, sum by (comm) (rate(procevent_threads_started_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_threads_ended_total", "Threads ended, other than the last of a process.", "",
               "sum by (instance) (rate(procevent_threads_ended_total{comm!=\"[retired comms here]\"}[1m]))"},
    MetricText{"procevent_execs_total",
               "Programs executed, by the name they got; one that gave itself a name before it was looked at "
               "(within some milliseconds) goes by that.",
               "", "topk(10, sum by (comm) (rate(procevent_execs_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_exits_total",
               "Processes ended: `success` with status 0, `failure` with another, `signal` by one.",
               "The share of `failure` or `signal` rises.",
               "  sum by (comm) (rate(procevent_exits_total{outcome!=\"success\"}[5m]))\n"
               "/ sum by (comm) (rate(procevent_exits_total[5m]))"},
    MetricText{"procevent_coredumps_total", "Core dumps, whether or not a file was written.", "It grows.",
               "sum by (instance, comm) (increase(procevent_coredumps_total{comm!=\"[retired comms here]\"}[1h])) > "
               "0"},
    MetricText{"procevent_unexeced_exits_total",
               "Processes that were seen to be forked and to end without an exec: the workers of a shell's pipes, "
               "of a server, of a fork bomb.",
               "",
               "topk(10, sum by (comm) (rate(procevent_unexeced_exits_total{comm!=\"[retired comms here]\"}[1m])))"},
    MetricText{"procevent_credential_changes_total",
               "Changes of the effective user or group: `gained_root`, `left_root`, or `other`, which also has "
               "those of threads other than the leader and those whose state before is not known. The kernel tells "
               "of a setuid program before its exec, so that `gained_root` is under the name of its caller.",
               "`gained_root` of a command that should not.",
               "sum by (instance, comm) (increase(procevent_credential_changes_total{effect=\"gained_root\"}[1h])) "
               "> 0"},
    MetricText{"procevent_ptrace_total", "Processes attached to or detached from, by the tracer.",
               "It grows where nobody debugs.",
               "sum by (instance, comm) (increase(procevent_ptrace_total{action=\"attach\"}[1h])) > 0"},
    MetricText{"procevent_comms", "Commands that have rows of their own.", "It reaches the limit.",
               "procevent_comms / procevent_comms_limit > 0.9"},
    MetricText{"procevent_comms_limit", "Commands that may have rows of their own (`comms.limit`).", "",
               "procevent_comms_limit"},
    MetricText{"procevent_comms_overflowed_total",
               "How often a new command found no row and shares `[other comms beyond limit]` with others.",
               "It grows: raise `comms.limit`, or fold names by `name_groups`. It counts lookups: a name that comes "
               "again after it was forgotten counts again.",
               "increase(procevent_comms_overflowed_total[1h]) > 0"},
    MetricText{"procevent_exit_code",
               "Status of processes that ended, or 128 and the signal. With `histograms.exit_code.by_comm` it has "
               "the label `comm` instead of one row for all.",
               "",
               "sum by (instance) (rate(procevent_exit_code_bucket{le=\"127\"}[5m])) - sum by (instance) "
               "(rate(procevent_exit_code_bucket{le=\"126\"}[5m]))   # 127: not found"},
    MetricText{"procevent_exit_statuses_total",
               "Processes ended with a status other than 0. Statuses appear when they are first seen.",
               "127 or 126 grow: something calls programs that are not there.",
               "topk(5, sum by (instance, code) (increase(procevent_exit_statuses_total[1h])))"},
    MetricText{"procevent_exit_signals_total", "Processes ended by a signal.",
               "SIGSEGV, SIGABRT, SIGBUS grow: crashes. SIGKILL: perhaps the OOM killer.",
               "sum by (instance, signal) "
               "(increase(procevent_exit_signals_total{signal=~\"SIGSEGV|SIGABRT|SIGBUS|SIGKILL\"}[5m])) > 0"},
    MetricText{"procevent_process_lifetime_seconds",
               "From fork to the last exit, by the kernel's clock, where both were seen and nothing was missed "
               "between. With `histograms.lifetime.by_comm` it has the label `comm` instead of one row for all.",
               "Many short lives: a crash loop, or a shell that starts programs in a loop.",
               "histogram_quantile(0.5, sum by (instance, le) (rate(procevent_process_lifetime_seconds_bucket[5m])))"},
    MetricText{"procevent_pending", "Events that wait for a name to be booked under.",
               "It stays high while little happens: the log says whether `/proc` hides the processes of others.",
               "sum by (instance) (min_over_time(procevent_pending[5m])) > 100"},
    MetricText{"procevent_attributions_total",
               "How programs, and processes in doubt, came to the name that they are booked under: `proc`, /proc "
               "showed it; `comm_event`, the kernel said it; `unattributed`, nothing told it before they ended. "
               "Left out likewise.",
               "The share of `unattributed` rises: programs live too briefly to be looked at.",
               "  sum by (instance) (rate(procevent_attributions_total{source!=\"unattributed\"}[5m]))\n"
               "/ sum by (instance) (rate(procevent_attributions_total[5m]))"},
    MetricText{"procevent_peak_events_per_second",
               "The highest rate within any window of 100 ms, or 1 s, of the last minute, by the events' own time: "
               "what `rate()` cannot see.",
               "It is far above the average: storms.",
               "  max by (instance) (procevent_peak_events_per_second{event=\"fork\", window=\"100ms\"})\n"
               "/ sum by (instance) (rate(procevent_events_total{event=\"fork\"}[1m]))"},
    MetricText{"procevent_processes",
               "Processes that are tracked: that live. Left out with a mask that lacks fork, exec or exit.",
               "It comes near `processes.limit`.", "procevent_processes"},
    MetricText{"procevent_threads", "Their threads. Left out likewise.", "It comes near `procevent_pid_max`.",
               "procevent_threads / procevent_pid_max > 0.8"},
    MetricText{"procevent_processes_found_total",
               "Processes that are tracked without their fork: `bootstrap`, they lived before us; `reconciliation`, "
               "/proc showed them after a loss (or before their fork was read); `event`, something was heard of "
               "them. Left out likewise.",
               "The last two grow: events were lost, or `processes.limit` is too small.",
               "increase(procevent_processes_found_total{by!=\"bootstrap\"}[1h])"},
    MetricText{"procevent_processes_dropped_total",
               "Processes no longer tracked without their exit: `evicted`, there were too many; `gone`, /proc did "
               "not show them after a loss; `replaced`, their number had another process. Left out likewise.",
               "`evicted` grows: raise `processes.limit`.",
               "increase(procevent_processes_dropped_total{why=\"evicted\"}[1h]) > 0"},
    MetricText{"procevent_pid_max", "Processes and threads that the machine can have at once.", "",
               "procevent_pid_max / sum by (instance, job) (rate(procevent_events_total{event=\"fork\"}[5m]))   # "
               "seconds until PIDs come again"},
    MetricText{"procevent_build_info", "1, with the version and the compiler it was built with.", "",
               "count by (version) (procevent_build_info)"},
    MetricText{"procevent_config_last_reload_successful",
               "1 if the configuration was good when it was read last: at the start, or at a SIGHUP.",
               "It is 0: the log names each fault, and the configuration before is still in use.",
               "procevent_config_last_reload_successful == 0"},
    MetricText{"procevent_config_last_reload_success_timestamp_seconds",
               "When a good configuration was read last, since the Unix epoch.", "",
               "time() - procevent_config_last_reload_success_timestamp_seconds"},
    MetricText{"procevent_config_restart_pending",
               "1 if some of the last good configuration is not in force before a restart.",
               "It is 1: the log names the keys.", "procevent_config_restart_pending == 1"},
    MetricText{"procevent_http_requests_refused_total",
               "Requests turned away: `not_allowed`, by `web.allow`, whose connections are closed unheard; "
               "`too_many_scrapes`, answered 503 because `web.max_requests` were being served.",
               "It grows: the log names some of the addresses.",
               "sum by (instance, reason) (increase(procevent_http_requests_refused_total[5m])) > 0"},
    MetricText{"process_cpu_seconds_total", "CPU time of the exporter, user and system.", "",
               "rate(process_cpu_seconds_total{job=\"procevent\"}[5m])"},
    MetricText{"process_resident_memory_bytes", "Memory of the exporter that is in RAM.", "It grows for days.",
               "process_resident_memory_bytes{job=\"procevent\"} / 2 ^ 20"},
    MetricText{"process_virtual_memory_bytes", "Address space of the exporter; its threads' stacks reserve most of it.",
               "", "process_virtual_memory_bytes{job=\"procevent\"}"},
    MetricText{"process_virtual_memory_max_bytes", "Address space that it may have at most; +Inf: unlimited.", "",
               "process_virtual_memory_max_bytes{job=\"procevent\"}"},
    MetricText{"process_start_time_seconds", "When the exporter started, since the Unix epoch.",
               "It changes: the exporter was restarted.",
               "time() - process_start_time_seconds{job=\"procevent\"}   # seconds it has run"},
    MetricText{"process_open_fds", "Open file descriptors of the exporter.", "It comes near `process_max_fds`.",
               "process_open_fds{job=\"procevent\"} / process_max_fds > 0.8"},
    MetricText{"process_max_fds", "File descriptors that it may have open at most; +Inf: unlimited.", "",
               "process_max_fds{job=\"procevent\"}"},
    MetricText{"process_threads", "Threads of the exporter: 64 serve HTTP.", "", "process_threads{job=\"procevent\"}"},
};

}  // namespace procevent
