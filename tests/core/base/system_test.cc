#include "core/base/system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace procevent {

namespace {

struct Due {
  const char* name;
  std::uint64_t due_ns;
  std::uint64_t now_ns;
  int millis;
};

class MillisUntilTest : public testing::TestWithParam<Due> {};

TEST_P(MillisUntilTest, IsRoundedUp) {
  EXPECT_EQ(MillisUntil(GetParam().due_ns, GetParam().now_ns), GetParam().millis);
}

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(Clock, MillisUntilTest,
                         testing::Values(Due{"now", 5, 5, 0}, Due{"past", 5, kForever, 0}, Due{"a_nanosecond", 6, 5, 1},
                                         Due{"a_millisecond", kNanosPerMilli + 5, 5, 1},
                                         Due{"a_bit_more", kNanosPerMilli + 6, 5, 2},
                                         Due{"longer_than_an_int", kForever, 0, std::numeric_limits<int>::max()}),
                         [](const testing::TestParamInfo<Due>& due) { return due.param.name; });

}  // namespace

namespace {

struct Row {
  std::string name;
  std::string_view list;
  unsigned cpus;
};

class CpusTest : public testing::TestWithParam<Row> {};

TEST_P(CpusTest, ReadsTheHighest) { EXPECT_EQ(HighestCpuPlusOne(GetParam().list), GetParam().cpus); }

INSTANTIATE_TEST_SUITE_P(Lists, CpusTest,
                         testing::Values(Row{"OneCpu", "0", 1}, Row{"Range", "0-3", 4},
                                         Row{"NewlineAfter", "0-127\n", 128}, Row{"Holes", "0-3,8", 9},
                                         Row{"RangeLast", "0,2-5\n", 6}, Row{"Empty", "", 0}, Row{"NoNumber", "all", 0},
                                         Row{"NothingAfterDash", "0-", 0}, Row{"Absurd", "0-99999999", 0},
                                         Row{"TooBigForAnInteger", "0-99999999999999", 0},
                                         Row{"LetterAfter", "0-3x", 0}),
                         [](const auto& row) { return row.param.name; });

TEST(PossibleCpusTest, IsNoLessThanTheCpusOfThisMachine) {
  EXPECT_GE(PossibleCpus(), static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

}  // namespace procevent
