// Lists every metric with type, unit, labels, series bound and HELP text, which is the only text of what the metric
// means: tests compare the exposition and docs/metrics.md with this table. tests/deploy/catalogue.py parses the rows
// with a regular expression.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/reader/snapshot_exchange.h"
#include "core/statistics/counting_options.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

// The unit that a series bound counts by.
enum class SeriesScope : std::uint8_t {
  kExporter,
  kCpu,
  kGroup,      // groups, including the reserved ones
  kExitCodes,  // one histogram with the configured exit code buckets, or one per group with exit_code.by_group
  kLifetimes,  // one histogram with the configured lifetime buckets, or one per group with lifetime.by_group
};

// The maximum number of series of a metric: `count` per unit of `scope`.
struct SeriesBound {
  std::size_t count = 1;
  SeriesScope scope = SeriesScope::kExporter;
};

constexpr SeriesBound PerExporter(std::size_t count) { return {count, SeriesScope::kExporter}; }
constexpr SeriesBound PerCpu(std::size_t count) { return {count, SeriesScope::kCpu}; }
constexpr SeriesBound PerGroup(std::size_t count) { return {count, SeriesScope::kGroup}; }

// One row of the catalogue.
struct Metric {
  std::string_view name;
  MetricType type = MetricType::kCounter;
  std::string_view unit;         // of the value: "events", "bytes", "boolean"
  std::string_view labels = {};  // names separated by ", ", such as "comm, outcome"
  SeriesBound max_series = {};
  std::string_view help = {};  // one or two short sentences of printable ASCII without backslashes: needs no escaping
};

using enum MetricType;
inline constexpr std::array kCatalogue{
    // The subscription: received events, losses and gaps.
    Metric{"procevent_up", kGauge, "boolean", "", PerExporter(1),
           "1 while the exporter is subscribed to the kernel's process events and receives them."},
    Metric{"procevent_snapshot_timestamp_seconds", kGauge, "seconds", "", PerExporter(1),
           "Unix time when the numbers of this page were taken from the reader. It stands still while the reader does "
           "not answer."},
    Metric{"procevent_events_total", kCounter, "events", "event", PerExporter(kEventKinds - 1),
           "Kernel events received, by event type. fork includes new threads, and exit is counted per thread."},
    Metric{"procevent_acks_total", kCounter, "messages", "", PerExporter(1),
           "Acknowledgements of subscriptions, which are messages without a sequence number and no events."},
    Metric{"procevent_events_lost_total", kCounter, "events", "cpu", PerCpu(1),
           "Events that the kernel numbered on this CPU but could not queue for the exporter."},
    Metric{"procevent_loss_exact", kGauge, "boolean", "", PerExporter(1),
           "1 if procevent_events_lost_total counts every loss, 0 if source.events is narrowed and only socket drops "
           "are counted."},
    Metric{"procevent_replayed", kGauge, "boolean", "", PerExporter(1),
           "1 if a capture is replayed (source.replay), so the values are of the recorded machine and time. 0 if the "
           "exporter subscribes to the kernel."},
    Metric{"procevent_unsubscribed_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "Time without a working subscription."},
    Metric{"procevent_subscription_restarts_total", kCounter, "restarts", "reason",
           PerExporter(kRestartReasonNames.size()), "Connector sockets reopened since start, by reason."},
    Metric{"procevent_kernel_clones_total", kCounter, "processes and threads", "", PerExporter(1),
           "The kernel's own count of new processes and threads since the exporter started, from /proc/stat."},
    Metric{
        "procevent_unseen_clones_total", kCounter, "processes and threads", "", PerExporter(1),
        "New processes and threads that the kernel counted (/proc/stat) while the exporter was unsubscribed, or in a "
        "gap too short to be detected otherwise. An upper bound."},
    Metric{"procevent_socket_drops_total", kCounter, "messages", "socket", PerExporter(1),
           "Messages dropped at a full receive buffer, as counted by the kernel."},
    Metric{"procevent_receive_queue_peak_bytes", kGauge, "bytes", "socket", PerExporter(1),
           "Highest fill level of the receive buffer in the last minute."},
    Metric{"procevent_receive_queue_limit_bytes", kGauge, "bytes", "socket", PerExporter(1),
           "Size of the receive buffer, in bytes as charged by the kernel: twice source.receive_buffer."},
    Metric{"procevent_messages_rejected_total", kCounter, "messages", "reason", PerExporter(kRejections),
           "Received messages that were not counted as events, by reason."},
    Metric{"procevent_event_delay_seconds", kHistogram, "seconds", "", PerExporter(DelayHistogram::kBounds + 3),
           "Time from the kernel's timestamp of an event until the exporter counts it, for all events."},

    // Activity of the whole host.
    Metric{"procevent_host_forks_total", kCounter, "processes", "", PerExporter(1),
           "Processes forked, on the whole host. New threads are not included."},
    Metric{"procevent_host_threads_started_total", kCounter, "threads", "", PerExporter(1),
           "Threads started on the whole host, not counting the first thread of a process."},
    Metric{"procevent_host_threads_ended_total", kCounter, "threads", "", PerExporter(1),
           "Threads ended on the whole host, not counting the last thread of a process."},
    Metric{"procevent_host_execs_total", kCounter, "programs", "", PerExporter(1),
           "Programs executed, on the whole host."},
    Metric{"procevent_host_exits_total", kCounter, "processes", "outcome", PerExporter(3),
           "Processes ended on the whole host, by outcome: success (exit status 0), failure (another exit status) or "
           "signal."},
    Metric{"procevent_forks_peak_per_second", kGauge, "processes per second", "window",
           PerExporter(kPeakWindowNames.size()),
           "Highest rate of forked processes within any window of that length (100 ms or 1 s) in the last minute. New "
           "threads are not included."},
    Metric{"procevent_execs_peak_per_second", kGauge, "programs per second", "window",
           PerExporter(kPeakWindowNames.size()),
           "Highest rate of executed programs within any window of that length (100 ms or 1 s) in the last minute."},
    Metric{"procevent_exits_peak_per_second", kGauge, "processes per second", "window",
           PerExporter(kPeakWindowNames.size()),
           "Highest rate of ended processes within any window of that length (100 ms or 1 s) in the last minute."},

    // Activity by group.
    Metric{"procevent_forks_total", kCounter, "processes", "comm", PerGroup(1),
           "Processes forked, by command of the parent that the kernel reports."},
    Metric{"procevent_threads_started_total", kCounter, "threads", "comm", PerGroup(1),
           "Threads started, by command of the process, not counting the first thread of a process."},
    Metric{"procevent_threads_ended_total", kCounter, "threads", "comm", PerGroup(1),
           "Threads ended, by command of the process, not counting the last thread of a process."},
    Metric{"procevent_execs_total", kCounter, "programs", "comm", PerGroup(1),
           "Programs executed, by the name of the new program."},
    Metric{
        "procevent_exits_total", kCounter, "processes", "comm, outcome", PerGroup(3),
        "Processes ended, by command and outcome: success (exit status 0), failure (another exit status) or signal."},
    Metric{"procevent_exit_signals_total", kCounter, "processes", "comm, signal", PerGroup(kExitSignalsPerGroup + 1),
           "Processes ended by a signal, by command and signal. The value other stands for signals beyond the limit."},
    Metric{"procevent_exit_codes_total", kCounter, "processes", "comm, code", PerGroup(kExitCodesPerGroup + 1),
           "Processes ended with a status other than 0, by command and status. The value other stands for statuses "
           "beyond the limit."},
    Metric{"procevent_coredumps_total", kCounter, "processes", "comm", PerGroup(1),
           "Core dumps by command, whether or not a file was written."},
    Metric{"procevent_exits_without_exec_total", kCounter, "processes", "comm", PerGroup(1),
           "Processes with a received fork event that ended without an exec, by command."},
    Metric{"procevent_credential_changes_total", kCounter, "changes", "comm, credential, effect", PerGroup(6),
           "Changes of the effective user or group of a process, by command."},
    Metric{"procevent_ptrace_total", kCounter, "processes", "comm, action", PerGroup(2),
           "Attachments and detachments by a tracer, by its command."},
    Metric{"procevent_exit_code", kHistogram, "status", "", SeriesBound{1, SeriesScope::kExitCodes},
           "Exit status of ended processes, or 128 plus the signal number."},
    Metric{"procevent_process_lifetime_seconds", kHistogram, "seconds", "", SeriesBound{1, SeriesScope::kLifetimes},
           "Time from fork to the exit of the last thread, by the kernel's clock. Covers processes with both events "
           "received and no loss between them."},
    Metric{"procevent_retired_total", kCounter, "events", "activity", PerExporter(kActivityKinds),
           "Counts of groups that lost their series, by activity: idle ones (groups.retire_after), and those displaced "
           "by a busier group. It grows in steps."},
    Metric{"procevent_pending", kGauge, "events", "activity", PerExporter(kActivityKinds),
           "Events not yet counted under a command, by activity: its name is not known yet, or its series is new and "
           "still 0 (groups.first_scrapes)."},
    Metric{"procevent_groups", kGauge, "groups", "", PerExporter(1), "Groups (commands) that have their own series."},
    Metric{"procevent_groups_limit", kGauge, "groups", "", PerExporter(1),
           "Maximum number of groups (commands) that have their own series (groups.limit)."},
    Metric{"procevent_groups_overflowed_total", kCounter, "lookups", "", PerExporter(1),
           "Lookups of new groups that found the group table full. Such groups share one series."},
    Metric{"procevent_groups_displaced_total", kCounter, "groups", "", PerExporter(1),
           "Groups that lost their series to a busier group, because the group table was full."},

    // Attribution and the process table.
    Metric{"procevent_attributions_total", kCounter, "programs", "source", PerExporter(kAttributions),
           "Programs, and processes with an invalidated name, by the source of their name."},
    Metric{"procevent_processes", kGauge, "processes", "", PerExporter(1),
           "Processes in the process table, which are the living ones."},
    Metric{"procevent_threads", kGauge, "threads", "", PerExporter(1),
           "Threads of the processes in the process table."},
    Metric{"procevent_processes_found_total", kCounter, "processes", "reason", PerExporter(kProcessFoundReasons),
           "Processes added to the process table without a fork event, by reason."},
    Metric{"procevent_processes_dropped_total", kCounter, "processes", "reason", PerExporter(kProcessDropReasons),
           "Processes removed from the process table without an exit event, by reason."},
    Metric{"procevent_pid_max", kGauge, "processes and threads", "", PerExporter(1),
           "Maximum number of processes and threads on this machine."},

    // The exporter itself.
    Metric{"procevent_exporter_build_info", kGauge, "boolean", "version, revision, compiler", PerExporter(1),
           "Constant 1, labelled with version, source revision and compiler."},
    Metric{"procevent_exporter_config_last_reload_successful", kGauge, "boolean", "", PerExporter(1),
           "1 if the last load of the configuration succeeded, at the start or at a SIGHUP."},
    Metric{"procevent_exporter_config_last_reload_success_timestamp_seconds", kGauge, "seconds", "", PerExporter(1),
           "Unix time of the last successful load of the configuration."},
    Metric{"procevent_exporter_config_restart_pending", kGauge, "boolean", "", PerExporter(1),
           "1 if a loaded configuration change takes effect only after a restart."},
    Metric{"procevent_exporter_http_requests_refused_total", kCounter, "requests", "reason",
           PerExporter(kRefusalReasons),
           "HTTP requests refused, by reason: connections closed by web.allow, or scrapes answered 503."},
    Metric{"procevent_exporter_reader_cpu_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "CPU time of the reader thread."},
    Metric{"process_cpu_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "User and system CPU time of the exporter."},
    Metric{"process_resident_memory_bytes", kGauge, "bytes", "", PerExporter(1), "Resident memory of the exporter."},
    Metric{"process_virtual_memory_bytes", kGauge, "bytes", "", PerExporter(1), "Virtual memory of the exporter."},
    Metric{"process_virtual_memory_max_bytes", kGauge, "bytes", "", PerExporter(1),
           "Maximum virtual memory of the exporter."},
    Metric{"process_start_time_seconds", kGauge, "seconds", "", PerExporter(1), "Unix time when the exporter started."},
    Metric{"process_open_fds", kGauge, "descriptors", "", PerExporter(1), "Open file descriptors of the exporter."},
    Metric{"process_max_fds", kGauge, "descriptors", "", PerExporter(1),
           "Maximum number of open file descriptors of the exporter."},
    Metric{"process_threads", kGauge, "threads", "", PerExporter(1), "Threads of the exporter."},
};

// The row named `name`. A name that is not in the catalogue does not compile.
consteval const Metric& FindMetric(std::string_view name) {
  for (const Metric& metric : kCatalogue) {
    if (metric.name == name) {
      return metric;
    }
  }
  throw "the catalogue has no such metric";
}

// The maximum number of series of one metric, and of all metrics together.
std::size_t MaxSeries(const Metric& metric, const CountingOptions& options, std::size_t cpus);
std::size_t MaxSeries(const CountingOptions& options, std::size_t cpus);

}  // namespace procevent
