#include "core/base/cpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace procevent {
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
