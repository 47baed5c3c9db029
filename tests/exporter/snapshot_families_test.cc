#include "exporter/snapshot_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "exporter/metrics_collector.h"
#include "exporter/text_format.h"
#include "tests/exporter/filled_snapshot.h"

namespace procevent {
namespace {

using Age = Exchange::Age;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr unsigned kCpus = 3;

Snapshot Filled() {
  Snapshot snapshot(kCpus);
  Fill(snapshot);
  return snapshot;
}

std::vector<std::string> NamesOf(const Families& families) {
  std::vector<std::string> names;
  for (const auto& family : families) {
    names.push_back(family.name);
  }
  return names;
}

const prometheus::MetricFamily& Find(const Families& families, const std::string& name) {
  return *std::ranges::find(families, name, &prometheus::MetricFamily::name);
}

double Sum(const prometheus::MetricFamily& family) {
  double sum = 0;
  for (const auto& row : family.metric) {
    sum += row.counter.value;
  }
  return sum;
}

// PROCEVENT_REFRESH_GOLDEN=1 writes what is to be compared from then on.
TEST(SnapshotFamiliesTest, ExpositionIsTheGoldenOne) {
  const std::string path = "tests/golden/filled_snapshot.txt";
  const std::string text = ToText(SnapshotFamilies(Filled(), Age::kFresh));
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
  }
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden);
}

TEST(SnapshotFamiliesTest, SumsAddUp) {
  const Snapshot snapshot = Filled();
  const Families families = SnapshotFamilies(snapshot, Age::kFresh);
  const auto total = [](const auto& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  };
  const double events = Sum(Find(families, "procevent_events_total"));
  EXPECT_EQ(events, total(snapshot.numbers.events));
  EXPECT_EQ(Sum(Find(families, "procevent_events_lost_total")), total(snapshot.numbers.lost));
  EXPECT_EQ(Sum(Find(families, "procevent_messages_rejected_total")), total(snapshot.numbers.rejected));
  EXPECT_EQ(Sum(Find(families, "procevent_listener_restarts_total")), total(snapshot.restarts));

  const auto& delay = Find(families, "procevent_event_delay_seconds").metric.at(0).histogram;
  EXPECT_EQ(static_cast<double>(delay.sample_count),
            events - static_cast<double>(snapshot.numbers.events_of(EventKind::kAck)));
  ASSERT_EQ(delay.bucket.size(), DelayHistogram::kBounds + 1);
  EXPECT_EQ(delay.bucket.back().cumulative_count, delay.sample_count);
  EXPECT_TRUE(std::ranges::is_sorted(delay.bucket, {}, &prometheus::ClientMetric::Bucket::cumulative_count));
}

TEST(SnapshotFamiliesTest, ListenerIsUpOnlyIfFreshAndListening) {
  for (const Age age : {Age::kFresh, Age::kStale, Age::kNone}) {
    for (const bool listening : {true, false}) {
      Snapshot snapshot = Filled();
      snapshot.listening = listening;
      const double up = age == Age::kFresh && listening ? 1 : 0;
      EXPECT_EQ(Find(SnapshotFamilies(snapshot, age), "procevent_listener_up").metric.at(0).gauge.value, up);
    }
  }
}

TEST(SnapshotFamiliesTest, WithoutAnAnswerOnlyTheListenerIsKnown) {
  EXPECT_THAT(NamesOf(SnapshotFamilies(Snapshot(kCpus), Age::kNone)), ElementsAre("procevent_listener_up"));
}

TEST(SnapshotFamiliesTest, StaleNumbersAreServedButForTheAudit) {
  auto names = NamesOf(SnapshotFamilies(Filled(), Age::kFresh));
  EXPECT_THAT(names, Contains("procevent_kernel_forks_total"));
  std::erase(names, "procevent_kernel_forks_total");
  EXPECT_EQ(NamesOf(SnapshotFamilies(Filled(), Age::kStale)), names);
}

TEST(SnapshotFamiliesTest, ForksThatCannotBeCountedAreLeftOut) {
  Snapshot unreadable = Filled();
  unreadable.kernel_forks.reset();
  Snapshot narrowed = Filled();
  narrowed.loss_exact = false;
  for (const Snapshot& snapshot : {unreadable, narrowed}) {
    for (const Age age : {Age::kFresh, Age::kStale}) {
      const auto names = NamesOf(SnapshotFamilies(snapshot, age));
      EXPECT_THAT(names, Not(Contains("procevent_kernel_forks_total")));
      EXPECT_THAT(names, Not(Contains("procevent_forks_unseen_total")));
    }
  }
}

TEST(SnapshotFamiliesTest, WithoutASocketThereIsNoQueue) {
  Snapshot snapshot = Filled();
  snapshot.queue_limit_bytes = 0;
  const auto names = NamesOf(SnapshotFamilies(snapshot, Age::kFresh));
  EXPECT_THAT(names, Not(Contains("procevent_receive_queue_peak_bytes")));
  EXPECT_THAT(names, Not(Contains("procevent_receive_queue_limit_bytes")));
  EXPECT_THAT(names, Contains("procevent_socket_drops_total"));
}

TEST(SnapshotFamiliesTest, NarrowedMaskSaysSoInsteadOfAFalseZero) {
  Snapshot snapshot = Filled();
  EXPECT_EQ(Find(SnapshotFamilies(snapshot, Age::kFresh), "procevent_loss_exact").metric.at(0).gauge.value, 1);
  snapshot.loss_exact = false;
  const Families families = SnapshotFamilies(snapshot, Age::kFresh);
  EXPECT_THAT(NamesOf(families), Not(Contains("procevent_events_lost_total")));
  EXPECT_EQ(Find(families, "procevent_loss_exact").metric.at(0).gauge.value, 0);
}

TEST(SnapshotFamiliesTest, BigCountsKeepEveryDigitThatADoubleHas) {
  Snapshot snapshot(1);
  snapshot.forks_unseen = (std::uint64_t{1} << 53U) - 1;
  snapshot.kernel_forks = snapshot.forks_unseen;
  snapshot.blind_ns = 1;
  const std::string text = ToText(SnapshotFamilies(snapshot, Age::kFresh));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_forks_unseen_total 9007199254740991\n"));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_blind_seconds_total 1e-09\n"));
}

}  // namespace
}  // namespace procevent
