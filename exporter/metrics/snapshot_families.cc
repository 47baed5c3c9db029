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
  Count count;
  std::string_view label = {};  // besides `comm`
  std::string_view value = {};
  std::string_view second_label = {};
  std::string_view second_value = {};
};

void AddRow(MetricFamily& family, const CommRow& row, const Column& column) {
  const std::string_view comm = row.label.view();
  const double value = AsValue(row.tally[column.count]);
  if (column.label.empty()) {
    Add(family, value, {{"comm", comm}});
  } else if (column.second_label.empty()) {
    Add(family, value, {{"comm", comm}, {column.label, column.value}});
  } else {
    Add(family, value, {{"comm", comm}, {column.label, column.value}, {column.second_label, column.second_value}});
  }
}

bool HasEnds(const Tally& tally) {
  return (tally[Count::kSucceeded] | tally[Count::kFailed] | tally[Count::kKilled] | tally[Count::kCoredumps]) != 0;
}

enum class Zeros : std::uint8_t {
  kNone,      // a row appears with its first count
  kWithEnds,  // with the first end of the command's processes, so that the first failure is an increase
};

// The reserved rows are always there.
void AddFamily(Families& families, const CommNumbers& comms, const Metric& metric, Zeros zeros,
               std::initializer_list<Column> columns) {
  MetricFamily family = Family(metric);
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    if (!row.taken) {
      continue;
    }
    const bool all = id < kReservedComms || (zeros == Zeros::kWithEnds && HasEnds(row.tally));
    for (const Column& column : columns) {
      if (all || row.tally[column.count] != 0) {
        AddRow(family, row, column);
      }
    }
  }
  families.push_back(std::move(family));
}

}  // namespace

void AddCommFamilies(Families& families, const Numbers& numbers) {
  const CommNumbers& comms = numbers.comms;
  AddFamily(families, comms, Catalogued("procevent_forks_total"), Zeros::kNone, {{Count::kForks}});
  AddFamily(families, comms, Catalogued("procevent_threads_started_total"), Zeros::kNone, {{Count::kThreadsStarted}});
  AddFamily(families, comms, Catalogued("procevent_threads_ended_total"), Zeros::kNone, {{Count::kThreadsEnded}});
  AddFamily(families, comms, Catalogued("procevent_execs_total"), Zeros::kNone, {{Count::kExecs}});
  AddFamily(families, comms, Catalogued("procevent_exits_total"), Zeros::kWithEnds,
            {{Count::kSucceeded, "outcome", "success"},
             {Count::kFailed, "outcome", "failure"},
             {Count::kKilled, "outcome", "signal"}});
  AddFamily(families, comms, Catalogued("procevent_coredumps_total"), Zeros::kWithEnds, {{Count::kCoredumps}});
  AddFamily(families, comms, Catalogued("procevent_unexeced_exits_total"), Zeros::kWithEnds, {{Count::kUnexeced}});
  AddFamily(families, comms, Catalogued("procevent_credential_changes_total"), Zeros::kNone,
            {{Count::kUidGainedRoot, "credential", "uid", "effect", "gained_root"},
             {Count::kUidLeftRoot, "credential", "uid", "effect", "left_root"},
             {Count::kUidOther, "credential", "uid", "effect", "other"},
             {Count::kGidGainedRoot, "credential", "gid", "effect", "gained_root"},
             {Count::kGidLeftRoot, "credential", "gid", "effect", "left_root"},
             {Count::kGidOther, "credential", "gid", "effect", "other"}});
  AddFamily(families, comms, Catalogued("procevent_ptrace_total"), Zeros::kNone,
            {{Count::kAttached, "action", "attach"}, {Count::kDetached, "action", "detach"}});
  families.push_back(Family(Catalogued("procevent_comms"), AsValue(comms.taken)));
  families.push_back(Family(Catalogued("procevent_comms_limit"), AsValue(comms.limit)));
  families.push_back(Family(Catalogued("procevent_comms_overflowed_total"), AsValue(comms.overflowed)));
}

namespace {

using prometheus::MetricFamily;

double AsCode(std::uint64_t code) { return AsValue(code); }

// A row for each command if the ledger keeps them so, for the reserved ones at zero too; one for all otherwise.
void AddHistograms(Families& families, const Metric& metric, const CommNumbers& comms, const Histogram& of_all,
                   Histogram CommRow::*of_comm, double (*unit)(std::uint64_t)) {
  std::vector<double> upper;
  for (const std::uint64_t bound : of_all.upper()) {
    upper.push_back(unit(bound));
  }
  MetricFamily family = Family(metric);
  const bool by_comm = (comms.rows.front().*of_comm).has_bounds();
  if (!by_comm) {
    AddHistogram(family, of_all.counts(), upper, unit(of_all.sum()));
  }
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    const Histogram& histogram = row.*of_comm;
    if (by_comm && row.taken && (id < kReservedComms || histogram.count() != 0)) {
      AddHistogram(family, histogram.counts(), upper, unit(histogram.sum()), {{"comm", row.label.view()}});
    }
  }
  families.push_back(std::move(family));
}

// Every signal that ends a process that does nothing about it is there from the start; others, and statuses, when seen.
void AddCodes(Families& families, const EndNumbers& ends) {
  MetricFamily statuses = Family(Catalogued("procevent_exit_statuses_total"));
  for (std::size_t code = 1; code < ends.statuses.size(); ++code) {
    if (ends.statuses.at(code) != 0) {
      Add(statuses, AsValue(ends.statuses.at(code)), {{"code", std::to_string(code)}});
    }
  }
  families.push_back(std::move(statuses));
  MetricFamily signals = Family(Catalogued("procevent_exit_signals_total"));
  for (unsigned signal = 1; signal < ends.signals.size(); ++signal) {
    if (EndsByDefault(signal) || ends.signals.at(signal) != 0) {
      Add(signals, AsValue(ends.signals.at(signal)), {{"signal", SignalName(signal)}});
    }
  }
  families.push_back(std::move(signals));
}

void AddPending(Families& families, const Tally& pending) {
  const auto sum = [&](std::initializer_list<Count> counts) {
    std::uint64_t events = 0;
    for (const Count count : counts) {
      events += pending[count];
    }
    return AsValue(events);
  };
  MetricFamily family = Family(Catalogued("procevent_pending"));
  Add(family, sum({Count::kForks, Count::kThreadsStarted}), {{"event", "fork"}});
  Add(family, sum({Count::kExecs}), {{"event", "exec"}});
  Add(family, sum({Count::kSucceeded, Count::kFailed, Count::kKilled, Count::kThreadsEnded}), {{"event", "exit"}});
  Add(family, sum({Count::kUidGainedRoot, Count::kUidLeftRoot, Count::kUidOther}), {{"event", "uid"}});
  Add(family, sum({Count::kGidGainedRoot, Count::kGidLeftRoot, Count::kGidOther}), {{"event", "gid"}});
  Add(family, sum({Count::kAttached, Count::kDetached}), {{"event", "ptrace"}});
  Add(family, sum({Count::kCoredumps}), {{"event", "coredump"}});
  families.push_back(std::move(family));
}

void AddPeaks(Families& families, const PeakRates& peaks) {
  MetricFamily family = Family(Catalogued("procevent_peak_events_per_second"));
  for (std::size_t kind = 0; kind < kPeakKinds.size(); ++kind) {
    for (std::size_t window = 0; window < kPeakWindowNames.size(); ++window) {
      Add(family, peaks.at(kind).at(window),
          {{"event", kEventNames.at(static_cast<std::size_t>(kPeakKinds.at(kind)))},
           {"window", kPeakWindowNames.at(window)}});
    }
  }
  families.push_back(std::move(family));
}

// Where a part of processes' lives is not heard of, nobody knows how many there are.
void AddPopulation(Families& families, const Numbers& numbers) {
  if (!numbers.followed) {
    return;
  }
  families.push_back(Family(Catalogued("procevent_processes"), AsValue(numbers.processes)));
  families.push_back(Family(Catalogued("procevent_threads"), AsValue(numbers.threads)));
  families.push_back(Family(Catalogued("procevent_processes_found_total"), kFoundNames, numbers.found));
  families.push_back(Family(Catalogued("procevent_processes_dropped_total"), kDroppedNames, numbers.dropped));
  families.push_back(Family(Catalogued("procevent_attributions_total"), kAttributionNames, numbers.attributions));
}

}  // namespace

void AddLifeFamilies(Families& families, const Numbers& numbers) {
  AddHistograms(families, Catalogued("procevent_exit_code"), numbers.comms, numbers.ends.exit_codes,
                &CommRow::exit_codes, AsCode);
  AddCodes(families, numbers.ends);
  AddHistograms(families, Catalogued("procevent_process_lifetime_seconds"), numbers.comms, numbers.ends.lifetimes,
                &CommRow::lifetimes, SecondsOf);
  AddPending(families, numbers.pending);
  AddPeaks(families, numbers.peaks);
  AddPopulation(families, numbers);
}

namespace {

using prometheus::MetricFamily;

constexpr std::string_view kSocket = "connector";

MetricFamily ListenerUp(bool up) { return Family(Catalogued("procevent_listener_up"), up ? 1 : 0); }

// A narrowed mask hides losses: no row is better than a false zero.
void AddLosses(Families& families, const Snapshot& snapshot) {
  if (snapshot.loss_exact) {
    auto lost = Family(Catalogued("procevent_events_lost_total"));
    lost.metric.reserve(snapshot.numbers.lost.size());
    for (std::size_t cpu = 0; cpu < snapshot.numbers.lost.size(); ++cpu) {
      Add(lost, AsValue(snapshot.numbers.lost[cpu]), {{"cpu", std::to_string(cpu)}});
    }
    families.push_back(std::move(lost));
  }
  families.push_back(Family(Catalogued("procevent_loss_exact"), snapshot.loss_exact ? 1 : 0));
  if (snapshot.replayed) {
    return;  // of the recorder's socket a capture says nothing
  }
  auto drops = Family(Catalogued("procevent_socket_drops_total"));
  Add(drops, AsValue(snapshot.socket_drops), {{"socket", kSocket}});
  families.push_back(std::move(drops));
}

void AddListener(Families& families, const Snapshot& snapshot) {
  if (snapshot.replayed) {
    return;
  }
  families.push_back(Family(Catalogued("procevent_listener_restarts_total"), kRestartReasonNames, snapshot.restarts));
  families.push_back(Family(Catalogued("procevent_blind_seconds_total"), SecondsOf(snapshot.blind_ns)));
}

// Both are left out where forks cannot be counted: with a narrowed mask, or without /proc/stat.
void AddForks(Families& families, const Snapshot& snapshot, bool fresh) {
  if (!snapshot.loss_exact || !snapshot.kernel_forks) {
    return;
  }
  families.push_back(Family(Catalogued("procevent_forks_unseen_total"), AsValue(snapshot.forks_unseen)));
  if (fresh) {
    families.push_back(Family(Catalogued("procevent_kernel_forks_total"), AsValue(*snapshot.kernel_forks)));
  }
}

void AddQueue(Families& families, const Snapshot& snapshot) {
  if (snapshot.queue_limit_bytes == 0) {
    return;  // there is no socket
  }
  auto peak = Family(Catalogued("procevent_receive_queue_peak_bytes"));
  Add(peak, AsValue(snapshot.queue_peak_bytes), {{"socket", kSocket}});
  families.push_back(std::move(peak));
  auto limit = Family(Catalogued("procevent_receive_queue_limit_bytes"));
  Add(limit, AsValue(snapshot.queue_limit_bytes), {{"socket", kSocket}});
  families.push_back(std::move(limit));
}

MetricFamily Delay(const DelayHistogram& delay) {
  std::array<double, DelayHistogram::kBounds> upper{};
  std::ranges::transform(DelayHistogram::kUpperNanos, upper.begin(), SecondsOf);
  auto family = Family(Catalogued("procevent_event_delay_seconds"));
  AddHistogram(family, delay.counts(), upper, SecondsOf(delay.sum_nanos()));
  return family;
}

}  // namespace

Families SnapshotFamilies(const Snapshot& snapshot, Exchange::Age age) {
  Families families;
  if (age == Exchange::Age::kNone) {
    families.push_back(ListenerUp(false));
    return families;
  }
  const bool fresh = age == Exchange::Age::kFresh;
  families.push_back(Family(Catalogued("procevent_events_total"), kEventNames, snapshot.numbers.events));
  AddLosses(families, snapshot);
  families.push_back(
      Family(Catalogued("procevent_messages_rejected_total"), kRejectionNames, snapshot.numbers.rejected));
  families.push_back(ListenerUp(fresh && snapshot.listening));
  families.push_back(Family(Catalogued("procevent_replayed"), snapshot.replayed ? 1 : 0));
  AddListener(families, snapshot);
  AddForks(families, snapshot, fresh);
  AddQueue(families, snapshot);
  families.push_back(Delay(snapshot.numbers.delay));
  AddCommFamilies(families, snapshot.numbers);
  AddLifeFamilies(families, snapshot.numbers);
  families.push_back(Family(Catalogued("procevent_reader_cpu_seconds_total"), SecondsOf(snapshot.reader_cpu_ns)));
  return families;
}

}  // namespace procevent
