#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "tests/exporter/metrics/collect.h"
#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {

namespace {

using Freshness = SnapshotExchange::Freshness;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr unsigned kCpus = 3;

Snapshot FilledSnapshot() {
  Snapshot snapshot(kCpus);
  Fill(snapshot);
  return snapshot;
}

std::vector<std::string> NamesOf(const MetricFamilies& families) {
  std::vector<std::string> names;
  for (const auto& family : families) {
    names.push_back(family.name);
  }
  return names;
}

const prometheus::MetricFamily& FindFamily(const MetricFamilies& families, const std::string& name) {
  return *std::ranges::find(families, name, &prometheus::MetricFamily::name);
}

double SumOfCounters(const prometheus::MetricFamily& family) {
  double sum = 0;
  for (const auto& row : family.metric) {
    sum += row.counter.value;
  }
  return sum;
}

// With PROCEVENT_REFRESH_GOLDEN=1 the test rewrites the golden file.
TEST(SnapshotFamiliesTest, MatchesGoldenExposition) {
  const std::string path = "tests/golden/filled_snapshot.txt";
  const std::string text = ToText(SnapshotFamilies(FilledSnapshot(), Freshness::kFresh));
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
  }
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden);
}

TEST(SnapshotFamiliesTest, SumsMatchTheSnapshot) {
  const Snapshot snapshot = FilledSnapshot();
  const MetricFamilies families = SnapshotFamilies(snapshot, Freshness::kFresh);
  const auto total = [](const auto& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  };
  const double events = SumOfCounters(FindFamily(families, "procevent_events_total"));
  EXPECT_EQ(events + SumOfCounters(FindFamily(families, "procevent_acks_total")), total(snapshot.numbers.events));
  EXPECT_EQ(SumOfCounters(FindFamily(families, "procevent_events_lost_total")), total(snapshot.numbers.lost));
  EXPECT_EQ(SumOfCounters(FindFamily(families, "procevent_messages_rejected_total")), total(snapshot.numbers.rejected));
  EXPECT_EQ(SumOfCounters(FindFamily(families, "procevent_subscription_restarts_total")), total(snapshot.restarts));

  const auto& delay = FindFamily(families, "procevent_event_delay_seconds").metric.at(0).histogram;
  EXPECT_EQ(static_cast<double>(delay.sample_count), events);
  ASSERT_EQ(delay.bucket.size(), DelayHistogram::kBounds + 1);
  EXPECT_EQ(delay.bucket.back().cumulative_count, delay.sample_count);
  EXPECT_TRUE(std::ranges::is_sorted(delay.bucket, {}, &prometheus::ClientMetric::Bucket::cumulative_count));
}

TEST(SnapshotFamiliesTest, ReportsUpFromAFreshSnapshotOrElseFromTheStatus) {
  for (const Freshness freshness : {Freshness::kFresh, Freshness::kStale, Freshness::kNone}) {
    for (const bool subscribed : {true, false}) {
      Snapshot snapshot = FilledSnapshot();
      snapshot.subscribed = subscribed;
      const MetricFamilies families = SnapshotFamilies(snapshot, freshness, !subscribed);
      EXPECT_EQ(FindFamily(families, "procevent_up").metric.at(0).gauge.value,
                (freshness == Freshness::kFresh) == subscribed ? 1 : 0);
    }
  }
}

TEST(SnapshotFamiliesTest, ReportsOnlyUpBeforeTheFirstSnapshot) {
  EXPECT_THAT(NamesOf(SnapshotFamilies(Snapshot(kCpus), Freshness::kNone)), ElementsAre("procevent_up"));
}

TEST(SnapshotFamiliesTest, OmitsOnlyKernelClonesIfStale) {
  auto names = NamesOf(SnapshotFamilies(FilledSnapshot(), Freshness::kFresh));
  EXPECT_THAT(names, Contains("procevent_kernel_clones_total"));
  std::erase(names, "procevent_kernel_clones_total");
  EXPECT_EQ(NamesOf(SnapshotFamilies(FilledSnapshot(), Freshness::kStale)), names);
}

TEST(SnapshotFamiliesTest, OmitsForksThatCannotBeCounted) {
  Snapshot unreadable = FilledSnapshot();
  unreadable.forks_audited = false;
  Snapshot narrowed = FilledSnapshot();
  narrowed.loss_exact = false;
  for (const Snapshot& snapshot : {unreadable, narrowed}) {
    for (const Freshness freshness : {Freshness::kFresh, Freshness::kStale}) {
      const auto names = NamesOf(SnapshotFamilies(snapshot, freshness));
      EXPECT_THAT(names, Not(Contains("procevent_kernel_clones_total")));
      EXPECT_THAT(names, Not(Contains("procevent_unseen_clones_total")));
    }
  }
}

TEST(SnapshotFamiliesTest, OmitsOnlyKernelForksWhileForkEventsAreMissing) {
  auto names = NamesOf(SnapshotFamilies(FilledSnapshot(), Freshness::kFresh));
  std::erase(names, "procevent_kernel_clones_total");
  Snapshot snapshot = FilledSnapshot();
  snapshot.kernel_forks.reset();
  EXPECT_EQ(NamesOf(SnapshotFamilies(snapshot, Freshness::kFresh)), names);
}

TEST(SnapshotFamiliesTest, OmitsReceiveBufferWithoutASocket) {
  Snapshot snapshot = FilledSnapshot();
  snapshot.queue_limit_bytes = 0;
  const auto names = NamesOf(SnapshotFamilies(snapshot, Freshness::kFresh));
  EXPECT_THAT(names, Not(Contains("procevent_receive_queue_peak_bytes")));
  EXPECT_THAT(names, Not(Contains("procevent_receive_queue_limit_bytes")));
  EXPECT_THAT(names, Contains("procevent_socket_drops_total"));
}

TEST(SnapshotFamiliesTest, OmitsLossesWithANarrowedMask) {
  Snapshot snapshot = FilledSnapshot();
  EXPECT_EQ(FindFamily(SnapshotFamilies(snapshot, Freshness::kFresh), "procevent_loss_exact").metric.at(0).gauge.value,
            1);
  snapshot.loss_exact = false;
  const MetricFamilies families = SnapshotFamilies(snapshot, Freshness::kFresh);
  EXPECT_THAT(NamesOf(families), Not(Contains("procevent_events_lost_total")));
  EXPECT_EQ(FindFamily(families, "procevent_loss_exact").metric.at(0).gauge.value, 0);
}

TEST(SnapshotFamiliesTest, WritesAllDigitsOfLargeCounts) {
  Snapshot snapshot(1);
  snapshot.forks_audited = true;
  snapshot.forks_unseen = (std::uint64_t{1} << 53U) - 1;
  snapshot.kernel_forks = snapshot.forks_unseen;
  snapshot.unsubscribed_ns = 1;
  const std::string text = ToText(SnapshotFamilies(snapshot, Freshness::kFresh));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_unseen_clones_total 9007199254740991\n"));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_unsubscribed_seconds_total 1e-09\n"));
}

using testing::Pair;

// The values of a family by label values joined with blanks: {a="b",c="d"} has the key "b d".
std::map<std::string, double> ValuesOf(const MetricFamilies& families, const std::string& name) {
  std::map<std::string, double> values;
  const auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
  EXPECT_NE(family, families.end()) << name;
  for (const auto& row : family->metric) {
    std::string key;
    for (const auto& label : row.label) {
      key += (key.empty() ? "" : " ") + label.value;
    }
    values[key] = family->type == prometheus::MetricType::Counter ? row.counter.value : row.gauge.value;
  }
  return values;
}

MetricFamilies GroupFamiliesOf(const Numbers& numbers) {
  MetricFamilies families;
  ShownSeries shown(1);
  AddGroupFamilies(AppendTo(families), numbers, shown.MakePage(numbers, 0));
  return families;
}

MetricFamilies HostFamiliesOf(const Numbers& numbers) {
  MetricFamilies families;
  AddHostFamilies(AppendTo(families), numbers);
  return families;
}

GroupRow& AddRow(Numbers& numbers, const char* name) {
  GroupRow& row = numbers.groups.rows.at(kReservedGroups + numbers.groups.rows_in_use++);
  row.labels[0] = LabelValue(name);
  row.serial = static_cast<std::uint32_t>(kReservedGroups + numbers.groups.rows_in_use);
  return row;
}

TEST(GroupFamiliesTest, ReservedRowsStartAtZero) {
  const MetricFamilies families = GroupFamiliesOf(Numbers(1));
  for (const char* name :
       {"procevent_forks_total", "procevent_threads_started_total", "procevent_threads_ended_total",
        "procevent_execs_total", "procevent_coredumps_total", "procevent_exits_without_exec_total"}) {
    const auto values = ValuesOf(families, name);
    EXPECT_EQ(values.size(), kReservedGroups) << name;
    for (const std::string_view reserved : kReservedGroupNames) {
      EXPECT_THAT(values, Contains(Pair(std::string(reserved), 0))) << name;
    }
  }
  EXPECT_EQ(ValuesOf(families, "procevent_exits_total").size(), 3 * kReservedGroups);
  EXPECT_EQ(ValuesOf(families, "procevent_exit_codes_total").size(), kReservedGroups);
  EXPECT_EQ(ValuesOf(families, "procevent_exit_signals_total").size(), kReservedGroups);
}

TEST(GroupFamiliesTest, AddsSeriesWithTheFirstCount) {
  Numbers numbers(1);
  AddRow(numbers, "bash").counts[CountKind::kForks] = 7;
  const MetricFamilies families = GroupFamiliesOf(numbers);
  EXPECT_THAT(ValuesOf(families, "procevent_forks_total"), Contains(Pair("bash", 7)));
  EXPECT_THAT(ValuesOf(families, "procevent_execs_total"), Not(Contains(Pair("bash", testing::_))));
  EXPECT_THAT(ValuesOf(families, "procevent_exits_total"),
              Not(Contains(Pair(testing::StartsWith("bash"), testing::_))));
}

TEST(GroupFamiliesTest, FirstExitAddsAllOutcomesAtZero) {
  Numbers numbers(1);
  AddRow(numbers, "bash").counts[CountKind::kSucceeded] = 7;
  const MetricFamilies families = GroupFamiliesOf(numbers);
  const auto exits = ValuesOf(families, "procevent_exits_total");
  EXPECT_THAT(exits, Contains(Pair("bash success", 7)));
  EXPECT_THAT(exits, Contains(Pair("bash failure", 0)));
  EXPECT_THAT(exits, Contains(Pair("bash signal", 0)));
  EXPECT_THAT(ValuesOf(families, "procevent_coredumps_total"), Contains(Pair("bash", 0)));
  EXPECT_THAT(ValuesOf(families, "procevent_exits_without_exec_total"), Contains(Pair("bash", 0)));
}

TEST(GroupFamiliesTest, OmitsUnusedRows) {
  Numbers numbers(1);
  GroupRow& row = AddRow(numbers, "gone");
  row.counts[CountKind::kForks] = 1;
  row.serial = 0;
  EXPECT_THAT(ValuesOf(GroupFamiliesOf(numbers), "procevent_forks_total"), Not(Contains(Pair("gone", testing::_))));
}

TEST(GroupFamiliesTest, LabelsCredentialChangesWithTheirEffect) {
  Numbers numbers(1);
  AddRow(numbers, "su").counts[CountKind::kUidGainedRoot] = 2;
  numbers.groups.rows.at(kReservedGroups).counts[CountKind::kGidLeftRoot] = 3;
  const auto values = ValuesOf(GroupFamiliesOf(numbers), "procevent_credential_changes_total");
  EXPECT_THAT(values, Contains(Pair("su uid gained_root", 2)));
  EXPECT_THAT(values, Contains(Pair("su gid left_root", 3)));
  EXPECT_THAT(values, Not(Contains(Pair("su uid left_root", testing::_)))) << "a series appears with its first count";
  EXPECT_THAT(values, Contains(Pair("[unattributed programs] uid gained_root", 0)));
}

TEST(GroupFamiliesTest, ExitReasonsOfAGroupAddUpToItsExits) {
  Numbers numbers(1);
  GroupRow& row = AddRow(numbers, "flaky");
  row.counts[CountKind::kKilled] = 10;
  row.counts[CountKind::kFailed] = 7;
  numbers.exit_reasons.Assign(
      std::vector<ExitReasonCount>{{.group = kReservedGroups, .reason = {true, 35}, .last_pid = 1, .count = 4},
                                   {.group = kReservedGroups, .reason = {false, 127}, .last_pid = 2, .count = 5}});
  const MetricFamilies families = GroupFamiliesOf(numbers);
  const auto signals = ValuesOf(families, "procevent_exit_signals_total");
  EXPECT_THAT(signals, Contains(Pair("flaky SIGRTMIN+1", 4)));
  EXPECT_THAT(signals, Contains(Pair("flaky other", 6)));
  const auto codes = ValuesOf(families, "procevent_exit_codes_total");
  EXPECT_THAT(codes, Contains(Pair("flaky 127", 5)));
  EXPECT_THAT(codes, Contains(Pair("flaky other", 2)));
  EXPECT_EQ(codes.size(), kReservedGroups + 2) << "reserved groups have other only, at zero";
}

TEST(GroupFamiliesTest, OtherExitReasonsAppearEarlierWhileTheTableIsFull) {
  Numbers numbers(1, {.group_limit = 2});
  AddRow(numbers, "fine").counts[CountKind::kSucceeded] = 7;
  AddRow(numbers, "running").counts[CountKind::kExecs] = 1;
  std::vector<ExitReasonCount> pairs;
  const auto has_other = [&](const char* metric) {
    numbers.exit_reasons.Assign(pairs);
    const auto values = ValuesOf(GroupFamiliesOf(numbers), metric);
    EXPECT_THAT(values, Not(Contains(Pair(testing::StartsWith("running"), testing::_))));
    return values.contains("fine other");
  };
  for (std::size_t used = 0; used < MaxExitReasons(true, kReservedGroups + 2); ++used) {
    EXPECT_FALSE(has_other("procevent_exit_signals_total")) << used;
    pairs.push_back({.group = 0, .reason = {true, static_cast<std::uint8_t>(1 + used)}});
  }
  EXPECT_TRUE(has_other("procevent_exit_signals_total"));
  EXPECT_FALSE(has_other("procevent_exit_codes_total"));
}

// The count of the n-th CountKind is a power of two, so each activity shows its kinds. kWithoutExec belongs to none.
TEST(GroupFamiliesTest, PendingAndRetiredCountEachEventOnce) {
  Numbers numbers(1);
  for (std::size_t kind = 0; kind < kCountKinds; ++kind) {
    numbers.pending[static_cast<CountKind>(kind)] = std::uint64_t{1} << kind;
    numbers.groups.retired[static_cast<CountKind>(kind)] = std::uint64_t{2} << kind;
  }
  std::map<std::string, double> expected{{"fork", 1},
                                         {"thread_start", 2},
                                         {"thread_end", 4},
                                         {"exec", 8},
                                         {"exit", 16 + 32 + 64},
                                         {"coredump", 128},
                                         {"uid_change", 512 + 1024 + 2048},
                                         {"gid_change", 4096 + 8192 + 16384},
                                         {"ptrace", 32768 + 65536}};
  EXPECT_EQ(ValuesOf(GroupFamiliesOf(numbers), "procevent_pending"), expected);
  for (auto& [activity, count] : expected) {
    count *= 2;
  }
  EXPECT_EQ(ValuesOf(GroupFamiliesOf(numbers), "procevent_retired_total"), expected);
}

TEST(HostFamiliesTest, ShowTheTotals) {
  Numbers numbers(1);
  numbers.totals[CountKind::kForks] = 1111;
  numbers.totals[CountKind::kKilled] = 3;
  numbers.totals[CountKind::kFailed] = 4;
  const MetricFamilies families = HostFamiliesOf(numbers);
  EXPECT_THAT(ValuesOf(families, "procevent_host_forks_total"), ElementsAre(Pair("", 1111)));
  EXPECT_EQ(ValuesOf(families, "procevent_host_exits_total"),
            (std::map<std::string, double>{{"success", 0}, {"failure", 4}, {"signal", 3}}));
  EXPECT_THAT(ValuesOf(families, "procevent_host_execs_total"), ElementsAre(Pair("", 0)));
}

TEST(HostFamiliesTest, HaveOnePeakMetricForEachActivity) {
  Numbers numbers(1);
  numbers.peaks = {{{1, 2}, {3, 4}, {5, 6}}};
  const MetricFamilies families = HostFamiliesOf(numbers);
  using Values = std::map<std::string, double>;
  EXPECT_EQ(ValuesOf(families, "procevent_forks_peak_per_second"), (Values{{"100ms", 1}, {"1s", 2}}));
  EXPECT_EQ(ValuesOf(families, "procevent_execs_peak_per_second"), (Values{{"100ms", 3}, {"1s", 4}}));
  EXPECT_EQ(ValuesOf(families, "procevent_exits_peak_per_second"), (Values{{"100ms", 5}, {"1s", 6}}));
}

TEST(GroupFamiliesTest, HistogramsByGroupReplaceTheTotal) {
  Numbers numbers(1, {.exit_code_by_group = true});
  numbers.exits.exit_codes.Add(3);
  GroupRow& row = AddRow(numbers, "bash");
  row.counts[CountKind::kFailed] = 1;
  row.exit_codes.Add(3);
  AddRow(numbers, "running").counts[CountKind::kExecs] = 1;
  const MetricFamilies families = GroupFamiliesOf(numbers);
  const auto& codes = *std::ranges::find(families, "procevent_exit_code", &prometheus::MetricFamily::name);
  ASSERT_EQ(codes.metric.size(), kReservedGroups + 1) << "reserved rows appear at zero";
  EXPECT_EQ(codes.metric[0].label.at(0).value, kReservedGroupNames[0]);
  EXPECT_EQ(codes.metric[0].histogram.sample_count, 0U);
  const auto& bash = codes.metric.back();
  EXPECT_EQ(bash.label.at(0).name, "comm");
  EXPECT_EQ(bash.label.at(0).value, "bash");
  EXPECT_EQ(bash.histogram.sample_count, 1U);
  EXPECT_EQ(bash.histogram.sample_sum, 3);
  const auto& lifetimes =
      *std::ranges::find(families, "procevent_process_lifetime_seconds", &prometheus::MetricFamily::name);
  EXPECT_TRUE(lifetimes.metric.at(0).label.empty());
}

TEST(ProcessTableFamiliesTest, AreOmittedWithANarrowedMask) {
  Numbers numbers(1);
  const auto names = [](const Numbers& of) {
    MetricFamilies families;
    AddProcessTable(AppendTo(families), of);
    std::vector<std::string> found;
    std::ranges::transform(families, std::back_inserter(found), &prometheus::MetricFamily::name);
    return found;
  };
  EXPECT_THAT(names(numbers), Contains("procevent_processes"));
  numbers.processes_tracked = false;
  EXPECT_THAT(names(numbers), testing::IsEmpty());
}

}  // namespace

}  // namespace procevent
