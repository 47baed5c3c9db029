#include "core/reader/loss_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace procevent {
namespace {

constexpr std::uint64_t kMinute = LossReportLimiter::kInterval;
using Report = std::optional<LossReportLimiter::Loss>;

TEST(LossReportLimiterTest, ReportsTheFirstLossAtOnceAndFurtherOnesAsASumOnceAMinute) {
  LossReportLimiter limiter;
  const struct {
    const char* name;
    std::uint64_t now_ns;
    std::uint64_t lost;
    std::uint64_t drops;
    Report report;
  } rows[] = {
      {"none", 5, 0, 0, {}},
      {"first loss", 6, 3, 3, {{3, true}}},
      {"no further loss", 7, 3, 3, {}},
      {"further loss within the minute", 8, 10, 10, {}},
      {"further loss, still within the minute", 5 + kMinute, 12, 12, {}},
      {"sum at the end of the minute", 6 + kMinute, 13, 13, {{10, true}}},
      {"no new loss at the end of the minute", 6 + 2 * kMinute, 13, 13, {}},
      {"at once after a minute without loss; no drops", 7 + 2 * kMinute, 14, 13, {{1, false}}},
      {"within the minute again", 6 + 3 * kMinute, 15, 14, {}},
      {"end of that minute", 7 + 3 * kMinute, 15, 14, {{1, true}}},
      {"end of the reader", UINT64_MAX, 17, 14, {{2, false}}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(limiter.TakeDueReport(row.lost, row.drops, row.now_ns), row.report) << row.name;
  }
}

TEST(CpuProbeTest, HidesOnlyDropsAfterItsStart) {
  CpuProbe probe;
  EXPECT_FALSE(probe.HasHiddenDrops(0));
  EXPECT_TRUE(probe.HasHiddenDrops(3));
  probe.Start(3, 1000);
  EXPECT_FALSE(probe.HasHiddenDrops(3));
  EXPECT_TRUE(probe.HasHiddenDrops(4));
}

TEST(CpuProbeTest, IsInProgressUntilFinished) {
  CpuProbe probe;
  EXPECT_FALSE(probe.in_progress());
  probe.Start(0, 1000);
  EXPECT_TRUE(probe.in_progress());
  probe.Finish(3000);
  EXPECT_FALSE(probe.in_progress());
  EXPECT_EQ(probe.last_end_ns(), 3000U);
}

TEST(CpuProbeTest, IsDueAgainAfterASecond) {
  CpuProbe probe;
  probe.Start(0, 1000);
  EXPECT_EQ(probe.next_probe_ns(), 1000 + kNanosPerSecond);
}

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(QueuePeakTest, ReturnsTheHighestUsage) {
  QueuePeak peak;
  peak.RecordUsage(10, 1000 * kSecond);
  peak.RecordUsage(30, 1001 * kSecond);
  peak.RecordUsage(20, 1002 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1003 * kSecond), 30U);
}

TEST(QueuePeakTest, ForgetsUsageAfterAMinute) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1053 * kSecond), 30U);
  EXPECT_EQ(peak.PeakBytes(1061 * kSecond), 0U);
}

TEST(QueuePeakTest, ForgetsEverythingAfterALongPause) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(100'000 * kSecond), 0U);
}

// Against a list of all records: never below the peak of the last 54 seconds, never above that of the last 60.
TEST(QueuePeakTest, AgreesWithAListOfAllRecords) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  QueuePeak peak;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> records;
  std::uint64_t now = 500 * kSecond;
  for (int i = 0; i < 5000; ++i) {
    now += random() % (i % 50 == 0 ? 100 * kSecond : 3 * kSecond);
    const auto bytes = static_cast<std::uint32_t>(random() % 100000);
    peak.RecordUsage(bytes, now);
    records.emplace_back(now, bytes);
    const auto peak_since = [&](std::uint64_t seconds) {
      std::uint32_t highest = 0;
      for (const auto& [at, value] : records) {
        highest = now - at <= seconds * kSecond ? std::max(highest, value) : highest;
      }
      return highest;
    };
    ASSERT_GE(peak.PeakBytes(now), peak_since(53));
    ASSERT_LE(peak.PeakBytes(now), peak_since(60));
  }
}

}  // namespace
}  // namespace procevent
