#include "core/reader/loss_report.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

constexpr std::uint64_t kMinute = LossReport::kInterval;
using Told = std::optional<LossReport::Loss>;

TEST(LossReportTest, TheFirstIsToldAtOnceAndOthersSummedUpOnceAMinute) {
  LossReport report;
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
    EXPECT_EQ(report.Due(row.lost, row.drops, row.now_ns), row.told) << row.name;
  }
}

}  // namespace
}  // namespace procevent
