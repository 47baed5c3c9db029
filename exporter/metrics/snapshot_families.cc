#include "exporter/metrics/snapshot_families.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/family.h"

namespace procevent {

namespace {

using prometheus::MetricFamily;

// One row of a family for each count: all of a command at once where they are told together, each alone otherwise.
struct Column {
  CountKind count;
  std::string_view label = {};  // besides `comm`
  std::string_view value = {};
  std::string_view second_label = {};
  std::string_view second_value = {};
};

void AddRow(MetricFamily& family, const CommRow& row, const Column& column) {
  const std::string_view comm = row.label.view();
  const double value = ToDouble(row.counts[column.count]);
  if (column.label.empty()) {
    AddSeries(family, value, {{"comm", comm}});
  } else if (column.second_label.empty()) {
    AddSeries(family, value, {{"comm", comm}, {column.label, column.value}});
  } else {
    AddSeries(family, value,
              {{"comm", comm}, {column.label, column.value}, {column.second_label, column.second_value}});
  }
}

bool HasEnds(const Counts& tally) {
  return (tally[CountKind::kSucceeded] | tally[CountKind::kFailed] | tally[CountKind::kKilled] |
          tally[CountKind::kCoredumps]) != 0;
}

enum class InitialSeries : std::uint8_t {
  kNone,      // a row appears with its first count
  kWithEnds,  // with the first end of the command's processes, so that the first failure is an increase
};

// The reserved rows are always there.
void AddFamily(MetricFamilies& families, const CommStatistics& comms, const Metric& metric, InitialSeries zeros,
               std::initializer_list<Column> columns) {
  MetricFamily family = MakeFamily(metric);
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    if (!row.in_use) {
      continue;
    }
    const bool all = id < kReservedComms || (zeros == InitialSeries::kWithEnds && HasEnds(row.counts));
    for (const Column& column : columns) {
      if (all || row.counts[column.count] != 0) {
        AddRow(family, row, column);
      }
    }
  }
  families.push_back(std::move(family));
}

}  // namespace

void AddCommFamilies(MetricFamilies& families, const LedgerSnapshot& numbers) {
  const CommStatistics& comms = numbers.comms;
  AddFamily(families, comms, FindMetric("procevent_forks_total"), InitialSeries::kNone, {{CountKind::kForks}});
  AddFamily(families, comms, FindMetric("procevent_threads_started_total"), InitialSeries::kNone,
            {{CountKind::kThreadsStarted}});
  AddFamily(families, comms, FindMetric("procevent_threads_ended_total"), InitialSeries::kNone,
            {{CountKind::kThreadsEnded}});
  AddFamily(families, comms, FindMetric("procevent_execs_total"), InitialSeries::kNone, {{CountKind::kExecs}});
  AddFamily(families, comms, FindMetric("procevent_exits_total"), InitialSeries::kWithEnds,
            {{CountKind::kSucceeded, "outcome", "success"},
             {CountKind::kFailed, "outcome", "failure"},
             {CountKind::kKilled, "outcome", "signal"}});
  AddFamily(families, comms, FindMetric("procevent_coredumps_total"), InitialSeries::kWithEnds,
            {{CountKind::kCoredumps}});
  AddFamily(families, comms, FindMetric("procevent_unexeced_exits_total"), InitialSeries::kWithEnds,
            {{CountKind::kWithoutExec}});
  AddFamily(families, comms, FindMetric("procevent_credential_changes_total"), InitialSeries::kNone,
            {{CountKind::kUidGainedRoot, "credential", "uid", "effect", "gained_root"},
             {CountKind::kUidLeftRoot, "credential", "uid", "effect", "left_root"},
             {CountKind::kUidOther, "credential", "uid", "effect", "other"},
             {CountKind::kGidGainedRoot, "credential", "gid", "effect", "gained_root"},
             {CountKind::kGidLeftRoot, "credential", "gid", "effect", "left_root"},
             {CountKind::kGidOther, "credential", "gid", "effect", "other"}});
  AddFamily(families, comms, FindMetric("procevent_ptrace_total"), InitialSeries::kNone,
            {{CountKind::kAttached, "action", "attach"}, {CountKind::kDetached, "action", "detach"}});
  families.push_back(MakeFamily(FindMetric("procevent_comms"), ToDouble(comms.rows_in_use)));
  families.push_back(MakeFamily(FindMetric("procevent_comms_limit"), ToDouble(comms.limit)));
  families.push_back(MakeFamily(FindMetric("procevent_comms_overflowed_total"), ToDouble(comms.overflowed)));
}

namespace {

using prometheus::MetricFamily;

double AsCode(std::uint64_t code) { return ToDouble(code); }

// A row for each command if the ledger keeps them so, for the reserved ones at zero too; one for all otherwise.
void AddHistograms(MetricFamilies& families, const Metric& metric, const CommStatistics& comms, const Histogram& of_all,
                   Histogram CommRow::*of_comm, double (*unit)(std::uint64_t)) {
  std::vector<double> upper;
  for (const std::uint64_t bound : of_all.upper()) {
    upper.push_back(unit(bound));
  }
  MetricFamily family = MakeFamily(metric);
  const bool by_comm = (comms.rows.front().*of_comm).has_bounds();
  if (!by_comm) {
    AddHistogram(family, of_all.counts(), upper, unit(of_all.sum()));
  }
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    const Histogram& histogram = row.*of_comm;
    if (by_comm && row.in_use && (id < kReservedComms || histogram.count() != 0)) {
      AddHistogram(family, histogram.counts(), upper, unit(histogram.sum()), {{"comm", row.label.view()}});
    }
  }
  families.push_back(std::move(family));
}

// Every signal that ends a process that does nothing about it is there from the start; others, and statuses, when seen.
void AddCodes(MetricFamilies& families, const ExitStatistics& ends) {
  MetricFamily statuses = MakeFamily(FindMetric("procevent_exit_statuses_total"));
  for (std::size_t code = 1; code < ends.statuses.size(); ++code) {
    if (ends.statuses.at(code) != 0) {
      AddSeries(statuses, ToDouble(ends.statuses.at(code)), {{"code", std::to_string(code)}});
    }
  }
  families.push_back(std::move(statuses));
  MetricFamily signals = MakeFamily(FindMetric("procevent_exit_signals_total"));
  for (unsigned signal = 1; signal < ends.signals.size(); ++signal) {
    if (EndsByDefault(signal) || ends.signals.at(signal) != 0) {
      AddSeries(signals, ToDouble(ends.signals.at(signal)), {{"signal", SignalName(signal)}});
    }
  }
  families.push_back(std::move(signals));
}

void AddPending(MetricFamilies& families, const Counts& pending) {
  const auto sum = [&](std::initializer_list<CountKind> counts) {
    std::uint64_t events = 0;
    for (const CountKind count : counts) {
      events += pending[count];
    }
    return ToDouble(events);
  };
  MetricFamily family = MakeFamily(FindMetric("procevent_pending"));
  AddSeries(family, sum({CountKind::kForks, CountKind::kThreadsStarted}), {{"event", "fork"}});
  AddSeries(family, sum({CountKind::kExecs}), {{"event", "exec"}});
  AddSeries(family, sum({CountKind::kSucceeded, CountKind::kFailed, CountKind::kKilled, CountKind::kThreadsEnded}),
            {{"event", "exit"}});
  AddSeries(family, sum({CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther}),
            {{"event", "uid"}});
  AddSeries(family, sum({CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther}),
            {{"event", "gid"}});
  AddSeries(family, sum({CountKind::kAttached, CountKind::kDetached}), {{"event", "ptrace"}});
  AddSeries(family, sum({CountKind::kCoredumps}), {{"event", "coredump"}});
  families.push_back(std::move(family));
}

void AddPeaks(MetricFamilies& families, const PeakRates& peaks) {
  MetricFamily family = MakeFamily(FindMetric("procevent_peak_events_per_second"));
  for (std::size_t kind = 0; kind < kPeakKinds.size(); ++kind) {
    for (std::size_t window = 0; window < kPeakWindowNames.size(); ++window) {
      AddSeries(family, peaks.at(kind).at(window),
                {{"event", kEventNames.at(static_cast<std::size_t>(kPeakKinds.at(kind)))},
                 {"window", kPeakWindowNames.at(window)}});
    }
  }
  families.push_back(std::move(family));
}

// Where a part of processes' lives is not heard of, nobody knows how many there are.
void AddPopulation(MetricFamilies& families, const LedgerSnapshot& numbers) {
  if (!numbers.processes_tracked) {
    return;
  }
  families.push_back(MakeFamily(FindMetric("procevent_processes"), ToDouble(numbers.processes)));
  families.push_back(MakeFamily(FindMetric("procevent_threads"), ToDouble(numbers.threads)));
  families.push_back(
      MakeFamily(FindMetric("procevent_processes_found_total"), kProcessFoundReasonNames, numbers.found));
  families.push_back(
      MakeFamily(FindMetric("procevent_processes_dropped_total"), kProcessDropReasonNames, numbers.dropped));
  families.push_back(MakeFamily(FindMetric("procevent_attributions_total"), kAttributionNames, numbers.attributions));
}

}  // namespace

void AddLifecycleFamilies(MetricFamilies& families, const LedgerSnapshot& numbers) {
  AddHistograms(families, FindMetric("procevent_exit_code"), numbers.comms, numbers.exits.exit_codes,
                &CommRow::exit_codes, AsCode);
  AddCodes(families, numbers.exits);
  AddHistograms(families, FindMetric("procevent_process_lifetime_seconds"), numbers.comms, numbers.exits.lifetimes,
                &CommRow::lifetimes, NanosToSeconds);
  AddPending(families, numbers.pending);
  AddPeaks(families, numbers.peaks);
  AddPopulation(families, numbers);
}

namespace {

using prometheus::MetricFamily;

constexpr std::string_view kSocket = "connector";

MetricFamily ListenerUp(bool up) { return MakeFamily(FindMetric("procevent_listener_up"), up ? 1 : 0); }

// A narrowed mask hides losses: no row is better than a false zero.
void AddLosses(MetricFamilies& families, const Snapshot& snapshot) {
  if (snapshot.loss_exact) {
    auto lost = MakeFamily(FindMetric("procevent_events_lost_total"));
    lost.metric.reserve(snapshot.ledger.lost.size());
    for (std::size_t cpu = 0; cpu < snapshot.ledger.lost.size(); ++cpu) {
      AddSeries(lost, ToDouble(snapshot.ledger.lost[cpu]), {{"cpu", std::to_string(cpu)}});
    }
    families.push_back(std::move(lost));
  }
  families.push_back(MakeFamily(FindMetric("procevent_loss_exact"), snapshot.loss_exact ? 1 : 0));
  if (snapshot.replayed) {
    return;  // of the recorder's socket a capture says nothing
  }
  auto drops = MakeFamily(FindMetric("procevent_socket_drops_total"));
  AddSeries(drops, ToDouble(snapshot.socket_drops), {{"socket", kSocket}});
  families.push_back(std::move(drops));
}

void AddListener(MetricFamilies& families, const Snapshot& snapshot) {
  if (snapshot.replayed) {
    return;
  }
  families.push_back(
      MakeFamily(FindMetric("procevent_listener_restarts_total"), kRestartReasonNames, snapshot.restarts));
  families.push_back(MakeFamily(FindMetric("procevent_blind_seconds_total"), NanosToSeconds(snapshot.unsubscribed_ns)));
}

// Both are left out where forks cannot be counted: with a narrowed mask, or without /proc/stat.
void AddForks(MetricFamilies& families, const Snapshot& snapshot, bool fresh) {
  if (!snapshot.loss_exact || !snapshot.kernel_forks) {
    return;
  }
  families.push_back(MakeFamily(FindMetric("procevent_forks_unseen_total"), ToDouble(snapshot.forks_unseen)));
  if (fresh) {
    families.push_back(MakeFamily(FindMetric("procevent_kernel_forks_total"), ToDouble(*snapshot.kernel_forks)));
  }
}

void AddQueue(MetricFamilies& families, const Snapshot& snapshot) {
  if (snapshot.queue_limit_bytes == 0) {
    return;  // there is no socket
  }
  auto peak = MakeFamily(FindMetric("procevent_receive_queue_peak_bytes"));
  AddSeries(peak, ToDouble(snapshot.queue_peak_bytes), {{"socket", kSocket}});
  families.push_back(std::move(peak));
  auto limit = MakeFamily(FindMetric("procevent_receive_queue_limit_bytes"));
  AddSeries(limit, ToDouble(snapshot.queue_limit_bytes), {{"socket", kSocket}});
  families.push_back(std::move(limit));
}

MetricFamily Delay(const DelayHistogram& delay) {
  std::array<double, DelayHistogram::kBounds> upper{};
  std::ranges::transform(DelayHistogram::kUpperNanos, upper.begin(), NanosToSeconds);
  auto family = MakeFamily(FindMetric("procevent_event_delay_seconds"));
  AddHistogram(family, delay.counts(), upper, NanosToSeconds(delay.sum_nanos()));
  return family;
}

}  // namespace

MetricFamilies SnapshotFamilies(const Snapshot& snapshot, SnapshotExchange::Freshness age) {
  MetricFamilies families;
  if (age == SnapshotExchange::Freshness::kNone) {
    families.push_back(ListenerUp(false));
    return families;
  }
  const bool fresh = age == SnapshotExchange::Freshness::kFresh;
  families.push_back(MakeFamily(FindMetric("procevent_events_total"), kEventNames, snapshot.ledger.events));
  AddLosses(families, snapshot);
  families.push_back(
      MakeFamily(FindMetric("procevent_messages_rejected_total"), kRejectionNames, snapshot.ledger.rejected));
  families.push_back(ListenerUp(fresh && snapshot.subscribed));
  families.push_back(MakeFamily(FindMetric("procevent_replayed"), snapshot.replayed ? 1 : 0));
  AddListener(families, snapshot);
  AddForks(families, snapshot, fresh);
  AddQueue(families, snapshot);
  families.push_back(Delay(snapshot.ledger.delay));
  AddCommFamilies(families, snapshot.ledger);
  AddLifecycleFamilies(families, snapshot.ledger);
  families.push_back(
      MakeFamily(FindMetric("procevent_reader_cpu_seconds_total"), NanosToSeconds(snapshot.reader_cpu_ns)));
  return families;
}

}  // namespace procevent
