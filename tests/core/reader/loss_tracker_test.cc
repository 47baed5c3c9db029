#include "core/reader/loss_tracker.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace procevent {
namespace {

constexpr std::uint64_t kMinute = LossReportLimiter::kInterval;
using Told = std::optional<LossReportLimiter::Loss>;

TEST(LossReportLimiterTest, TheFirstIsToldAtOnceAndOthersSummedUpOnceAMinute) {
  LossReportLimiter report;
  const struct {
    const char* name;
    std::uint64_t now_ns;
    std::uint64_t lost;
    std::uint64_t drops;
    Told told;
  } rows[] = {
      {"none", 5, 0, 0, {}},
      {"the first", 6, 3, 3, {{3, true}}},
      {"no more", 7, 3, 3, {}},
      {"more, too soon", 8, 10, 10, {}},
      {"still too soon", 5 + kMinute, 12, 12, {}},
      {"the sum of those held back", 6 + kMinute, 13, 13, {{10, true}}},
      {"nothing new when the time has come", 6 + 2 * kMinute, 13, 13, {}},
      {"after a quiet time at once, and nothing was dropped", 7 + 2 * kMinute, 14, 13, {{1, false}}},
      {"and held back again", 6 + 3 * kMinute, 15, 14, {}},
      {"until a minute is over", 7 + 3 * kMinute, 15, 14, {{1, true}}},
      {"or all ends", UINT64_MAX, 17, 14, {{2, false}}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(report.TakeDueReport(row.lost, row.drops, row.now_ns), row.told) << row.name;
  }
}

TEST(CpuProbeTest, ShowsTheDropsThatWereBeforeIt) {
  CpuProbe tour;
  EXPECT_FALSE(tour.HasHiddenDrops(0));
  EXPECT_TRUE(tour.HasHiddenDrops(3));
  tour.Start(3, 1000);
  EXPECT_FALSE(tour.HasHiddenDrops(3));
  EXPECT_TRUE(tour.HasHiddenDrops(4));
}

TEST(CpuProbeTest, IsUnderWayUntilItsEnd) {
  CpuProbe tour;
  EXPECT_FALSE(tour.in_progress());
  tour.Start(0, 1000);
  EXPECT_TRUE(tour.in_progress());
  tour.Finish();
  EXPECT_FALSE(tour.in_progress());
}

TEST(CpuProbeTest, TheNextIsASecondLater) {
  CpuProbe tour;
  tour.Start(0, 1000);
  EXPECT_EQ(tour.next_ns(), 1000 + kNanosPerSecond);
}

}  // namespace
}  // namespace procevent
