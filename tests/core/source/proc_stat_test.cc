#include "core/source/proc_stat.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

namespace procevent {
namespace {

constexpr std::string_view kRealistic =
    "cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\n"
    "intr 33622492 38 0 0\nctxt 60543\nbtime 1700000000\nprocesses 86031\nprocs_running 6\n";

std::optional<std::uint64_t> Parse(std::string_view text) {
  ForkCountParser parser;
  parser.Feed(text);
  return parser.forks();
}

TEST(ForkCountParserTest, FindsTheNumber) { EXPECT_EQ(Parse(kRealistic), 86031U); }

TEST(ForkCountParserTest, IsTheSameWhereverTheTextIsCut) {
  for (std::size_t cut = 0; cut <= kRealistic.size(); ++cut) {
    ForkCountParser parser;
    parser.Feed(kRealistic.substr(0, cut));
    parser.Feed(kRealistic.substr(cut));
    EXPECT_EQ(parser.forks(), 86031U) << cut;
  }
}

struct Row {
  std::string name;
  std::string_view text;
  std::optional<std::uint64_t> forks;
};
class ForkCountTableTest : public testing::TestWithParam<Row> {};
TEST_P(ForkCountTableTest, Parses) { EXPECT_EQ(Parse(GetParam().text), GetParam().forks); }
INSTANTIATE_TEST_SUITE_P(
    Texts, ForkCountTableTest,
    testing::Values(Row{"Empty", "", std::nullopt}, Row{"NoSuchLine", "ctxt 1\nprocs_running 2\n", std::nullopt},
                    Row{"FirstLine", "processes 7\n", 7}, Row{"UnfinishedNumber", "processes 12", std::nullopt},
                    Row{"NoNumber", "processes \n", std::nullopt}, Row{"NotANumber", "processes x1\n", std::nullopt},
                    Row{"KeyInsideALine", "a processes 5\n", std::nullopt},
                    Row{"LongerKey", "processes_x 5\nprocesses 6\n", 6},
                    Row{"Largest", "processes 18446744073709551615\n", UINT64_MAX}),
    [](const auto& row) { return row.param.name; });

TEST(ProcStatTest, TheKernelCountsOurForks) {
  const ProcStat proc_stat;
  const auto before = proc_stat.Forks();
  ASSERT_TRUE(before.ok());
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(0);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  const auto after = proc_stat.Forks();
  ASSERT_TRUE(after.ok());
  EXPECT_GE(after.value(), before.value() + 3);
}

TEST(ProcStatTest, NamesWhatKeptTheFileFromOpening) {
  const auto forks = ProcStat("/nonexistent/stat").Forks();
  ASSERT_FALSE(forks.ok());
  EXPECT_EQ(forks.error().code, ENOENT);
  EXPECT_EQ(Describe(forks.error()),
            "cannot open /proc/stat: No such file or directory; without it fork events cannot be audited; mount /proc, "
            "all of "
            "it (systemd: ProcSubset=all)");
}

TEST(ProcStatTest, AFileWithoutTheLineIsAnError) {
  const auto forks = ProcStat("/proc/self/comm").Forks();
  ASSERT_FALSE(forks.ok());
  EXPECT_EQ(forks.error().operation, "read `processes` from /proc/stat");
}

}  // namespace
}  // namespace procevent
