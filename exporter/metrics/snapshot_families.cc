#include "exporter/metrics/snapshot_families.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "exporter/metrics/family.h"

namespace procevent {

namespace {

constexpr std::array<std::string_view, 3> kOutcomeNames{"success", "failure", "signal"};

// Maps one count of a group to one series of a family.
struct SeriesColumn {
  CountKind count = CountKind::kForks;
  Labels labels = {};  // in addition to those of the group
};

// The labels of a group, followed by others.
Labels LabelsOf(const GroupRow& row, const Labels& others = {}) {
  Labels labels;
  for (std::size_t i = 0; i < kGroupLabels; ++i) {
    labels.Add(kGroupLabelNames.at(i), row.labels.at(i).view());
  }
  for (const auto& [name, value] : others) {
    labels.Add(name, value);
  }
  return labels;
}

// The groups of a snapshot: series exist as its counts say, and have the values of `exposed`.
struct Groups {
  const Numbers& numbers;
  const ExposedGroups& exposed;

  [[nodiscard]] const std::vector<GroupRow>& rows() const { return numbers.groups.rows; }
  // Reserved rows always have series of exits.
  [[nodiscard]] bool HasSeriesOfExits(std::size_t id) const {
    return id < kReservedGroups || (rows()[id].in_use() && HasExits(rows()[id].counts));
  }
};

enum class InitialSeries : std::uint8_t {
  kNone,       // a series appears with its first count
  kWithExits,  // all series appear with the first exit of the command
};

// Reserved rows always have all series.
void AddFamily(const FamilySink& sink, const Groups& groups, const Metric& metric, InitialSeries initial,
               std::initializer_list<SeriesColumn> columns) {
  MetricFamily family = MakeFamily(metric);
  for (std::size_t id = 0; id < groups.rows().size(); ++id) {
    const GroupRow& row = groups.rows()[id];
    if (!row.in_use()) {
      continue;
    }
    const bool all = id < kReservedGroups || (initial == InitialSeries::kWithExits && groups.HasSeriesOfExits(id));
    for (const SeriesColumn& column : columns) {
      if (all || row.counts[column.count] != 0) {
        AddSeries(family, ToDouble(groups.exposed.rows[id].counts[column.count]), LabelsOf(row, column.labels));
      }
    }
  }
  sink(std::move(family));
}

struct HistogramView {
  std::span<const std::uint64_t> counts;
  std::uint64_t sum = 0;
};
using HistogramOfRow = std::function<HistogramView(std::size_t id)>;

// One histogram per command if the group table keeps them by command, otherwise one for all: then `of_row` is empty.
void AddHistograms(const FamilySink& sink, const Groups& groups, const Metric& metric, const Histogram& total,
                   double (*convert)(std::uint64_t), const HistogramOfRow& of_row) {
  std::vector<double> upper_bounds(total.upper().size());
  std::ranges::transform(total.upper(), upper_bounds.begin(), convert);
  MetricFamily family = MakeFamily(metric);
  if (!of_row) {
    AddHistogram(family, total.counts(), upper_bounds, convert(total.sum()));
  }
  for (std::size_t id = 0; of_row && id < groups.rows().size(); ++id) {
    if (groups.HasSeriesOfExits(id)) {
      const HistogramView histogram = of_row(id);
      AddHistogram(family, histogram.counts, upper_bounds, convert(histogram.sum), LabelsOf(groups.rows()[id]));
    }
  }
  sink(std::move(family));
}

void AddExitCodes(const FamilySink& sink, const Groups& groups) {
  HistogramOfRow of_row;
  if (groups.rows().front().exit_codes.has_bounds()) {
    of_row = [&groups](std::size_t id) {
      const ExposedHistogram& exposed = groups.exposed.rows[id].exit_codes;
      return HistogramView{exposed.counts, exposed.sum};
    };
  }
  AddHistograms(sink, groups, FindMetric("procevent_exit_code"), groups.numbers.exits.exit_codes, ToDouble, of_row);
}

// Lifetimes of exits that are held back by reason are not known one by one, so they are exposed.
void AddLifetimes(const FamilySink& sink, const Groups& groups) {
  const Histogram empty(groups.numbers.exits.lifetimes.upper());
  HistogramOfRow of_row;
  if (groups.rows().front().lifetimes.has_bounds()) {
    of_row = [&](std::size_t id) {
      const Histogram& exposed = groups.exposed.rows[id].exits_held ? empty : groups.rows()[id].lifetimes;
      return HistogramView{exposed.counts(), exposed.sum()};
    };
  }
  AddHistograms(sink, groups, FindMetric("procevent_process_lifetime_seconds"), groups.numbers.exits.lifetimes,
                NanosToSeconds, of_row);
}

// Exits of groups by status or by signal. The processes of a group that the table of pairs does not hold are `other`,
// so that the series of a group add up to its exits. It appears as 0 with the first such exit of a group. While the
// table is full, `other` would appear with a count, so there it appears with the first exit of any kind.
struct ExitReasonFamily {
  const Metric& metric;
  bool killed;
  CountKind exits;
  std::string_view label;
};

void AddExitReasons(const FamilySink& sink, const Groups& groups, const ExitReasonFamily& kind) {
  const std::vector<GroupRow>& rows = groups.rows();
  const std::span<const ExitReasonCount> pairs = groups.numbers.exit_reasons.pairs();
  MetricFamily family = MakeFamily(kind.metric);
  std::vector<std::uint64_t> named(rows.size());
  std::size_t used = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const ExitReasonCount& pair = pairs[i];
    if (pair.reason.killed == kind.killed) {
      const std::uint64_t exposed = groups.exposed.exit_reasons[i];
      named[pair.group] += exposed;
      ++used;
      AddSeriesWithPid(family, ToDouble(exposed), kind.killed && exposed != 0 ? pair.last_pid : 0,
                       LabelsOf(rows[pair.group], {{kind.label, kind.killed ? SignalName(pair.reason.number)
                                                                            : std::to_string(pair.reason.number)}}));
    }
  }
  const bool full = used == MaxExitReasons(kind.killed, rows.size());
  for (std::size_t id = 0; id < rows.size(); ++id) {
    const std::uint64_t exits = groups.exposed.rows[id].counts[kind.exits];
    assert(named[id] <= exits);
    if (id < kReservedGroups || rows[id].counts[kind.exits] != 0 || (full && groups.HasSeriesOfExits(id))) {
      AddSeries(family, ToDouble(exits - named[id]), LabelsOf(rows[id], {{kind.label, "other"}}));
    }
  }
  sink(std::move(family));
}

void AddPeaks(const FamilySink& sink, const PeakRates& peaks) {
  static_assert(kPeakActivities == std::array{ActivityKind::kFork, ActivityKind::kExec, ActivityKind::kExit});
  constexpr std::array<const Metric*, kPeakActivities.size()> kMetrics{&FindMetric("procevent_forks_peak_per_second"),
                                                                       &FindMetric("procevent_execs_peak_per_second"),
                                                                       &FindMetric("procevent_exits_peak_per_second")};
  for (std::size_t i = 0; i < kMetrics.size(); ++i) {
    MetricFamily family = MakeFamily(*kMetrics.at(i));
    for (std::size_t window = 0; window < kPeakWindowNames.size(); ++window) {
      AddSeries(family, peaks.at(i).at(window), {{"window", kPeakWindowNames.at(window)}});
    }
    sink(std::move(family));
  }
}

constexpr std::string_view kSocket = "connector";

MetricFamily MakeUp(bool up) { return MakeFamily(FindMetric("procevent_up"), up ? 1 : 0); }

// The kernel gives an ACK no sequence number: it cannot be lost, and counts as no event.
void AddEvents(const FamilySink& sink, const Numbers& numbers) {
  static_assert(static_cast<std::size_t>(EventKind::kAck) == 0);
  sink(MakeFamily(FindMetric("procevent_events_total"), std::span(kEventNames).subspan(1),
                  std::span(numbers.events).subspan(1)));
  sink(MakeFamily(FindMetric("procevent_acks_total"), ToDouble(numbers.events_of(EventKind::kAck))));
}

// A narrowed mask hides losses. No series is better than a false zero.
void AddLosses(const FamilySink& sink, const Snapshot& snapshot) {
  if (snapshot.loss_exact) {
    auto lost = MakeFamily(FindMetric("procevent_events_lost_total"));
    lost.metric.reserve(snapshot.numbers.lost.size());
    for (std::size_t cpu = 0; cpu < snapshot.numbers.lost.size(); ++cpu) {
      AddSeries(lost, ToDouble(snapshot.numbers.lost[cpu]), {{"cpu", std::to_string(cpu)}});
    }
    sink(std::move(lost));
  }
  sink(MakeFamily(FindMetric("procevent_loss_exact"), snapshot.loss_exact ? 1 : 0));
  if (snapshot.replayed) {
    return;  // a capture does not record socket drops
  }
  auto drops = MakeFamily(FindMetric("procevent_socket_drops_total"));
  AddSeries(drops, ToDouble(snapshot.socket_drops), {{"socket", kSocket}});
  sink(std::move(drops));
}

void AddSubscription(const FamilySink& sink, const Snapshot& snapshot) {
  if (snapshot.replayed) {
    return;
  }
  sink(MakeFamily(FindMetric("procevent_subscription_restarts_total"), kRestartReasonNames, snapshot.restarts));
  sink(MakeFamily(FindMetric("procevent_unsubscribed_seconds_total"), NanosToSeconds(snapshot.unsubscribed_ns)));
}

// Both are omitted with a narrowed mask or without /proc/stat. The kernel's count is also omitted where it would not
// match the other numbers.
void AddKernelClones(const FamilySink& sink, const Snapshot& snapshot, bool fresh) {
  if (!snapshot.loss_exact || !snapshot.forks_audited) {
    return;
  }
  sink(MakeFamily(FindMetric("procevent_unseen_clones_total"), ToDouble(snapshot.forks_unseen)));
  if (fresh && snapshot.kernel_forks) {
    sink(MakeFamily(FindMetric("procevent_kernel_clones_total"), ToDouble(*snapshot.kernel_forks)));
  }
}

void AddReceiveBuffer(const FamilySink& sink, const Snapshot& snapshot) {
  if (snapshot.queue_limit_bytes == 0) {
    return;  // there is no socket
  }
  auto peak = MakeFamily(FindMetric("procevent_receive_queue_peak_bytes"));
  AddSeries(peak, ToDouble(snapshot.queue_peak_bytes), {{"socket", kSocket}});
  sink(std::move(peak));
  auto limit = MakeFamily(FindMetric("procevent_receive_queue_limit_bytes"));
  AddSeries(limit, ToDouble(snapshot.queue_limit_bytes), {{"socket", kSocket}});
  sink(std::move(limit));
}

void AddGroupTable(const FamilySink& sink, const GroupTableState& groups, const Counts& pending) {
  sink(MakeFamily(FindMetric("procevent_retired_total"), kActivityNames, CountActivities(groups.retired)));
  sink(MakeFamily(FindMetric("procevent_pending"), kActivityNames, CountActivities(pending)));
  sink(MakeFamily(FindMetric("procevent_groups"), ToDouble(groups.rows_in_use)));
  sink(MakeFamily(FindMetric("procevent_groups_limit"), ToDouble(groups.limit)));
  sink(MakeFamily(FindMetric("procevent_groups_overflowed_total"), ToDouble(groups.overflowed)));
  sink(MakeFamily(FindMetric("procevent_groups_displaced_total"), ToDouble(groups.displaced)));
}

MetricFamily MakeDelay(const DelayHistogram& delay) {
  std::array<double, DelayHistogram::kBounds> upper_bounds{};
  std::ranges::transform(DelayHistogram::kUpperNanos, upper_bounds.begin(), NanosToSeconds);
  auto family = MakeFamily(FindMetric("procevent_event_delay_seconds"));
  AddHistogram(family, delay.counts(), upper_bounds, NanosToSeconds(delay.sum_nanos()));
  return family;
}

}  // namespace

void AddHostFamilies(const FamilySink& sink, const Numbers& numbers) {
  const Counts& total = numbers.totals;
  const auto add = [&](const Metric& metric, CountKind kind) { sink(MakeFamily(metric, ToDouble(total[kind]))); };
  add(FindMetric("procevent_host_forks_total"), CountKind::kForks);
  add(FindMetric("procevent_host_threads_started_total"), CountKind::kThreadsStarted);
  add(FindMetric("procevent_host_threads_ended_total"), CountKind::kThreadsEnded);
  add(FindMetric("procevent_host_execs_total"), CountKind::kExecs);
  sink(MakeFamily(FindMetric("procevent_host_exits_total"), kOutcomeNames,
                  std::array{total[CountKind::kSucceeded], total[CountKind::kFailed], total[CountKind::kKilled]}));
  AddPeaks(sink, numbers.peaks);
}

void AddGroupFamilies(const FamilySink& sink, const Numbers& numbers, const ExposedGroups& exposed) {
  const Groups groups{numbers, exposed};
  AddFamily(sink, groups, FindMetric("procevent_forks_total"), InitialSeries::kNone, {{CountKind::kForks}});
  AddFamily(sink, groups, FindMetric("procevent_threads_started_total"), InitialSeries::kNone,
            {{CountKind::kThreadsStarted}});
  AddFamily(sink, groups, FindMetric("procevent_threads_ended_total"), InitialSeries::kNone,
            {{CountKind::kThreadsEnded}});
  AddFamily(sink, groups, FindMetric("procevent_execs_total"), InitialSeries::kNone, {{CountKind::kExecs}});
  AddFamily(sink, groups, FindMetric("procevent_exits_total"), InitialSeries::kWithExits,
            {{CountKind::kSucceeded, {{"outcome", kOutcomeNames[0]}}},
             {CountKind::kFailed, {{"outcome", kOutcomeNames[1]}}},
             {CountKind::kKilled, {{"outcome", kOutcomeNames[2]}}}});
  AddExitReasons(sink, groups, {FindMetric("procevent_exit_signals_total"), true, CountKind::kKilled, "signal"});
  AddExitReasons(sink, groups, {FindMetric("procevent_exit_codes_total"), false, CountKind::kFailed, "code"});
  AddFamily(sink, groups, FindMetric("procevent_coredumps_total"), InitialSeries::kWithExits,
            {{CountKind::kCoredumps}});
  AddFamily(sink, groups, FindMetric("procevent_exits_without_exec_total"), InitialSeries::kWithExits,
            {{CountKind::kWithoutExec}});
  AddFamily(sink, groups, FindMetric("procevent_credential_changes_total"), InitialSeries::kNone,
            {{CountKind::kUidGainedRoot, {{"credential", "uid"}, {"effect", "gained_root"}}},
             {CountKind::kUidLeftRoot, {{"credential", "uid"}, {"effect", "left_root"}}},
             {CountKind::kUidOther, {{"credential", "uid"}, {"effect", "other"}}},
             {CountKind::kGidGainedRoot, {{"credential", "gid"}, {"effect", "gained_root"}}},
             {CountKind::kGidLeftRoot, {{"credential", "gid"}, {"effect", "left_root"}}},
             {CountKind::kGidOther, {{"credential", "gid"}, {"effect", "other"}}}});
  AddFamily(sink, groups, FindMetric("procevent_ptrace_total"), InitialSeries::kNone,
            {{CountKind::kAttached, {{"action", "attach"}}}, {CountKind::kDetached, {{"action", "detach"}}}});
  AddExitCodes(sink, groups);
  AddLifetimes(sink, groups);
  AddGroupTable(sink, numbers.groups, exposed.pending);
}

void AddProcessTable(const FamilySink& sink, const Numbers& numbers) {
  if (!numbers.processes_tracked) {
    return;
  }
  sink(MakeFamily(FindMetric("procevent_processes"), ToDouble(numbers.processes)));
  sink(MakeFamily(FindMetric("procevent_threads"), ToDouble(numbers.threads)));
  sink(MakeFamily(FindMetric("procevent_processes_found_total"), kProcessFoundReasonNames, numbers.found));
  sink(MakeFamily(FindMetric("procevent_processes_dropped_total"), kProcessDropReasonNames, numbers.dropped));
  sink(MakeFamily(FindMetric("procevent_attributions_total"), kAttributionNames, numbers.attributions));
}

void AddSnapshotFamilies(const FamilySink& sink, const Snapshot& snapshot, const ExposedGroups& exposed,
                         SnapshotExchange::Freshness freshness, bool subscribed_now) {
  if (freshness == SnapshotExchange::Freshness::kNone) {
    sink(MakeUp(subscribed_now));
    return;
  }
  constexpr double kMillisPerSecond = 1000;
  const bool fresh = freshness == SnapshotExchange::Freshness::kFresh;
  sink(MakeUp(fresh ? snapshot.subscribed : subscribed_now));
  sink(MakeFamily(FindMetric("procevent_snapshot_timestamp_seconds"),
                  ToDouble(snapshot.taken_unix_ms) / kMillisPerSecond));
  AddEvents(sink, snapshot.numbers);
  AddLosses(sink, snapshot);
  sink(MakeFamily(FindMetric("procevent_replayed"), snapshot.replayed ? 1 : 0));
  AddSubscription(sink, snapshot);
  AddKernelClones(sink, snapshot, fresh);
  AddReceiveBuffer(sink, snapshot);
  sink(MakeFamily(FindMetric("procevent_messages_rejected_total"), kRejectionNames, snapshot.numbers.rejected));
  sink(MakeDelay(snapshot.numbers.delay));
  AddHostFamilies(sink, snapshot.numbers);
  AddGroupFamilies(sink, snapshot.numbers, exposed);
  AddProcessTable(sink, snapshot.numbers);
  sink(MakeFamily(FindMetric("procevent_exporter_reader_cpu_seconds_total"), NanosToSeconds(snapshot.reader_cpu_ns)));
}

}  // namespace procevent
