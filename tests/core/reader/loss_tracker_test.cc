#include "core/reader/loss_tracker.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

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
  probe.Finish();
  EXPECT_FALSE(probe.in_progress());
}

TEST(CpuProbeTest, IsDueAgainAfterASecond) {
  CpuProbe probe;
  probe.Start(0, 1000);
  EXPECT_EQ(probe.next_ns(), 1000 + kNanosPerSecond);
}

}  // namespace
}  // namespace procevent
