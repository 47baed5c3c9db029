// Every metric there is, in one table. The families of a scrape are made from its rows, METRICS.md is written from
// them, and tests hold what is served against them. For the exporter's own files, and the tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/ledger/ledger_options.h"
#include "core/reader/snapshot_exchange.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

// How many series a metric may have at most: so many for each of something.
enum class SeriesScope : std::uint8_t {
  kExporter,
  kCpu,
  kComm,       // a row of the comm table, the reserved ones too
  kExitCodes,  // a histogram of as many buckets as are configured; for each row of the comm table, if that is
  kLifetimes,
};
struct SeriesBound {
  std::size_t number = 1;
  SeriesScope per = SeriesScope::kExporter;
};

constexpr SeriesBound PerExporter(std::size_t number) { return {number, SeriesScope::kExporter}; }
constexpr SeriesBound PerCpu(std::size_t number) { return {number, SeriesScope::kCpu}; }
constexpr SeriesBound PerComm(std::size_t number) { return {number, SeriesScope::kComm}; }

struct Metric {
  std::string_view name;
  MetricType type = MetricType::kCounter;
  std::string_view unit;         // what is counted or measured
  std::string_view labels = {};  // "comm, outcome"
  SeriesBound most = {};
  std::string_view help = {};  // a line of plain ASCII
};

using enum MetricType;
inline constexpr std::size_t kStatuses = 255;  // but 0
inline constexpr std::size_t kSignals = 127;

inline constexpr std::array kCatalogue{
    // What arrives, and what does not.
    Metric{"procevent_events_total", kCounter, "events", "event", PerExporter(kEventKinds),
           "Events received from the kernel, by type."},
    Metric{"procevent_events_lost_total", kCounter, "events", "cpu", PerCpu(1),
           "Events that the kernel numbered and we never received."},
    Metric{"procevent_loss_exact", kGauge, "truth", "", PerExporter(1),
           "1 if procevent_events_lost_total knows every loss; 0 with a narrowed event mask, which leaves only the "
           "socket's drops."},
    Metric{"procevent_socket_drops_total", kCounter, "messages", "socket", PerExporter(1),
           "Messages dropped at a full receive queue, as the kernel counts them."},
    Metric{"procevent_messages_rejected_total", kCounter, "messages", "reason", PerExporter(kRejections),
           "Messages that were not booked, by reason."},
    Metric{"procevent_listener_up", kGauge, "truth", "", PerExporter(1),
           "1 while the kernel's process events are subscribed to and arrive."},
    Metric{"procevent_replayed", kGauge, "truth", "", PerExporter(1),
           "1 where a capture is replayed: then events and processes are not of this machine."},
    Metric{"procevent_listener_restarts_total", kCounter, "restarts", "reason", PerExporter(kRestartReasonNames.size()),
           "Fresh sockets opened since start, by reason."},
    Metric{"procevent_blind_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "Time without a working listener."},
    Metric{"procevent_forks_unseen_total", kCounter, "forks", "", PerExporter(1),
           "Forks that the kernel counted while nobody listened, or in a silence too short to be noticed otherwise; at "
           "most: a fork in the instant of reading /proc/stat may be counted here, too."},
    Metric{"procevent_kernel_forks_total", kCounter, "forks", "", PerExporter(1),
           "Forks that the kernel counted since start (/proc/stat): the audit of fork events."},
    Metric{"procevent_receive_queue_peak_bytes", kGauge, "bytes", "socket", PerExporter(1),
           "The fullest that the socket was in the last minute."},
    Metric{"procevent_receive_queue_limit_bytes", kGauge, "bytes", "socket", PerExporter(1),
           "Size of the receive queue, as the kernel charges it."},
    Metric{"procevent_event_delay_seconds", kHistogram, "seconds", "", PerExporter(DelayHistogram::kBounds + 3),
           "Time from the kernel's timestamp of an event to its booking; every event but ACKs."},
    Metric{"procevent_reader_cpu_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "CPU time of the reader thread."},

    // Who does what.
    Metric{"procevent_forks_total", kCounter, "processes", "comm", PerComm(1),
           "Processes forked, by the command that forked them."},
    Metric{"procevent_threads_started_total", kCounter, "threads", "comm", PerComm(1),
           "Threads started, other than the first of a process."},
    Metric{"procevent_threads_ended_total", kCounter, "threads", "comm", PerComm(1),
           "Threads ended, other than the last of a process."},
    Metric{"procevent_execs_total", kCounter, "programs", "comm", PerComm(1),
           "Programs executed, by the name they got."},
    Metric{"procevent_exits_total", kCounter, "processes", "comm, outcome", PerComm(3),
           "Processes ended: with status 0, with another, by a signal."},
    Metric{"procevent_coredumps_total", kCounter, "processes", "comm", PerComm(1),
           "Core dumps, whether or not a file was written."},
    Metric{"procevent_unexeced_exits_total", kCounter, "processes", "comm", PerComm(1),
           "Processes that were seen to be forked and to end without an exec."},
    Metric{"procevent_credential_changes_total", kCounter, "changes", "comm, credential, effect", PerComm(6),
           "Changes of the user or group that a process acts as."},
    Metric{"procevent_ptrace_total", kCounter, "processes", "comm, action", PerComm(2),
           "Processes attached to or detached from, by the tracer."},
    Metric{"procevent_comms", kGauge, "commands", "", PerExporter(1), "Commands that have rows of their own."},
    Metric{"procevent_comms_limit", kGauge, "commands", "", PerExporter(1),
           "Commands that may have rows of their own."},
    Metric{"procevent_comms_overflowed_total", kCounter, "lookups", "", PerExporter(1),
           "How often a new command found no row and shares one with others."},

    // How they end, and how many there are.
    Metric{"procevent_exit_code", kHistogram, "status", "", SeriesBound{1, SeriesScope::kExitCodes},
           "Status of processes that ended, or 128 and the signal."},
    Metric{"procevent_exit_statuses_total", kCounter, "processes", "code", PerExporter(kStatuses),
           "Processes ended with a status other than 0."},
    Metric{"procevent_exit_signals_total", kCounter, "processes", "signal", PerExporter(kSignals),
           "Processes ended by a signal."},
    Metric{"procevent_process_lifetime_seconds", kHistogram, "seconds", "", SeriesBound{1, SeriesScope::kLifetimes},
           "From fork to the last exit, by the kernel's clock, where both were seen."},
    Metric{"procevent_pending", kGauge, "events", "event", PerExporter(7),
           "Events that wait for a name to be booked under."},
    Metric{"procevent_attributions_total", kCounter, "programs", "source", PerExporter(kAttributions),
           "How programs, and processes in doubt, came to the name they are booked under."},
    Metric{"procevent_peak_events_per_second", kGauge, "events per second", "event, window",
           PerExporter(kPeakKinds.size() * kPeakWindowNames.size()),
           "The highest rate within any window of this length in the last minute."},
    Metric{"procevent_processes", kGauge, "processes", "", PerExporter(1), "Processes that are tracked."},
    Metric{"procevent_threads", kGauge, "threads", "", PerExporter(1), "Threads of the processes that are tracked."},
    Metric{"procevent_processes_found_total", kCounter, "processes", "by", PerExporter(kProcessFoundReasons),
           "Processes that are tracked without their fork."},
    Metric{"procevent_processes_dropped_total", kCounter, "processes", "why", PerExporter(kProcessDropReasons),
           "Processes no longer tracked, without their exit."},
    Metric{"procevent_pid_max", kGauge, "processes and threads", "", PerExporter(1),
           "Processes and threads that the machine can have at once."},

    // The exporter itself.
    Metric{"procevent_build_info", kGauge, "truth", "version, compiler", PerExporter(1),
           "1, with the version and the compiler it was built with."},
    Metric{"procevent_config_last_reload_successful", kGauge, "truth", "", PerExporter(1),
           "1 if the configuration was good when it was read last."},
    Metric{"procevent_config_last_reload_success_timestamp_seconds", kGauge, "seconds", "", PerExporter(1),
           "When a good configuration was read last, since the Unix epoch."},
    Metric{"procevent_config_restart_pending", kGauge, "truth", "", PerExporter(1),
           "1 if some of the last good configuration is not in force before a restart."},
    Metric{"procevent_http_requests_refused_total", kCounter, "requests", "reason", PerExporter(kRefusalReasons),
           "Requests turned away: unheard by web.allow, or answered 503 by web.max_requests."},
    Metric{"process_cpu_seconds_total", kCounter, "seconds", "", PerExporter(1),
           "CPU time of the exporter, user and system."},
    Metric{"process_resident_memory_bytes", kGauge, "bytes", "", PerExporter(1),
           "Memory of the exporter that is in RAM."},
    Metric{"process_virtual_memory_bytes", kGauge, "bytes", "", PerExporter(1), "Address space of the exporter."},
    Metric{"process_virtual_memory_max_bytes", kGauge, "bytes", "", PerExporter(1),
           "Address space that it may have at most."},
    Metric{"process_start_time_seconds", kGauge, "seconds", "", PerExporter(1),
           "When the exporter started, since the Unix epoch."},
    Metric{"process_open_fds", kGauge, "descriptors", "", PerExporter(1), "Open file descriptors of the exporter."},
    Metric{"process_max_fds", kGauge, "descriptors", "", PerExporter(1),
           "File descriptors that it may have open at most."},
    Metric{"process_threads", kGauge, "threads", "", PerExporter(1), "Threads of the exporter."},
};

// The row of that name: what is not in the table does not compile.
consteval const Metric& FindMetric(std::string_view name) {
  for (const Metric& metric : kCatalogue) {
    if (metric.name == name) {
      return metric;
    }
  }
  throw "the catalogue has no such metric";
}

// The most series that a metric, or all of them, may have.
std::size_t MaxSeries(const Metric& metric, const LedgerOptions& options, std::size_t cpus);
std::size_t MaxSeries(const LedgerOptions& options, std::size_t cpus);

}  // namespace procevent
