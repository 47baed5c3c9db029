#include "core/base/system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace procevent {
namespace {

struct TimeoutRow {
  const char* name;
  std::uint64_t due_ns;
  std::uint64_t now_ns;
  int millis;
};

class MillisUntilTest : public testing::TestWithParam<TimeoutRow> {};

TEST_P(MillisUntilTest, RoundsUp) { EXPECT_EQ(MillisUntil(GetParam().due_ns, GetParam().now_ns), GetParam().millis); }

constexpr std::uint64_t kMaxNanos = std::numeric_limits<std::uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    Clock, MillisUntilTest,
    testing::Values(TimeoutRow{"now", 5, 5, 0}, TimeoutRow{"past", 5, kMaxNanos, 0},
                    TimeoutRow{"a_nanosecond", 6, 5, 1}, TimeoutRow{"a_millisecond", kNanosPerMilli + 5, 5, 1},
                    TimeoutRow{"a_nanosecond_more_than_a_millisecond", kNanosPerMilli + 6, 5, 2},
                    TimeoutRow{"longer_than_an_int", kMaxNanos, 0, std::numeric_limits<int>::max()}),
    [](const testing::TestParamInfo<TimeoutRow>& row) { return row.param.name; });

struct CpuListRow {
  std::string name;
  std::string_view list;
  unsigned cpus;
};

class HighestCpuTest : public testing::TestWithParam<CpuListRow> {};

TEST_P(HighestCpuTest, ParsesHighestCpu) { EXPECT_EQ(HighestCpuPlusOne(GetParam().list), GetParam().cpus); }

INSTANTIATE_TEST_SUITE_P(Lists, HighestCpuTest,
                         testing::Values(CpuListRow{"OneCpu", "0", 1}, CpuListRow{"Range", "0-3", 4},
                                         CpuListRow{"TrailingNewline", "0-127\n", 128},
                                         CpuListRow{"GapInList", "0-3,8", 9}, CpuListRow{"EndsWithRange", "0,2-5\n", 6},
                                         CpuListRow{"Empty", "", 0}, CpuListRow{"NotANumber", "all", 0},
                                         CpuListRow{"MissingRangeEnd", "0-", 0},
                                         CpuListRow{"AboveLimit", "0-99999999", 0},
                                         CpuListRow{"IntegerOverflow", "0-99999999999999", 0},
                                         CpuListRow{"TrailingLetter", "0-3x", 0}),
                         [](const auto& row) { return row.param.name; });

TEST(PossibleCpusTest, CoversOnlineCpus) {
  EXPECT_GE(PossibleCpus(), static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace
}  // namespace procevent
