#include "core/reader/loss_report.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

constexpr std::uint64_t kMinute = LossReport::kInterval;

TEST(LossReportTest, TheFirstIsToldAtOnceAndOthersSummedUpOnceAMinute) {
  LossReport report;
  const struct {
    const char* name;
    std::uint64_t now_ns;
    std::uint64_t lost;
    std::uint64_t told;
  } rows[] = {
      {"none", 5, 0, 0},
      {"the first", 6, 3, 3},
      {"no more", 7, 3, 0},
      {"more, too soon", 8, 10, 0},
      {"still too soon", 5 + kMinute, 12, 0},
      {"the sum of those held back", 6 + kMinute, 13, 10},
      {"nothing new when the time has come", 6 + 2 * kMinute, 13, 0},
      {"after a quiet time at once", 7 + 2 * kMinute, 14, 1},
      {"and held back again", 6 + 3 * kMinute, 15, 0},
      {"until a minute is over", 7 + 3 * kMinute, 15, 1},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(report.Due(row.lost, row.now_ns), row.told) << row.name;
  }
}

}  // namespace
}  // namespace procevent
