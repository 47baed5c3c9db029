#include "core/sources/procfs/proc_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/system.h"

namespace procevent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kRealistic =
    "cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\n"
    "intr 33622492 38 0 0\nctxt 60543\nbtime 1700000000\nprocesses 86031\nprocs_running 6\n";

std::optional<std::uint64_t> Parse(std::string_view text) {
  CloneCountParser parser;
  parser.Feed(text);
  return parser.clones();
}

TEST(CloneCountParserTest, FindsCount) { EXPECT_EQ(Parse(kRealistic), 86031U); }

TEST(CloneCountParserTest, AcceptsTextSplitAnywhere) {
  for (std::size_t split = 0; split <= kRealistic.size(); ++split) {
    CloneCountParser parser;
    parser.Feed(kRealistic.substr(0, split));
    parser.Feed(kRealistic.substr(split));
    EXPECT_EQ(parser.clones(), 86031U) << split;
  }
}

struct StatRow {
  std::string name;
  std::string_view text;
  std::optional<std::uint64_t> clones;
};
class CloneCountParserTableTest : public testing::TestWithParam<StatRow> {};
TEST_P(CloneCountParserTableTest, Parses) { EXPECT_EQ(Parse(GetParam().text), GetParam().clones); }
INSTANTIATE_TEST_SUITE_P(Texts, CloneCountParserTableTest,
                         testing::Values(StatRow{"Empty", "", std::nullopt},
                                         StatRow{"NoSuchLine", "ctxt 1\nprocs_running 2\n", std::nullopt},
                                         StatRow{"FirstLine", "processes 7\n", 7},
                                         StatRow{"UnfinishedNumber", "processes 12", std::nullopt},
                                         StatRow{"NoNumber", "processes \n", std::nullopt},
                                         StatRow{"NotANumber", "processes x1\n", std::nullopt},
                                         StatRow{"KeyInsideALine", "a processes 5\n", std::nullopt},
                                         StatRow{"LongerKey", "processes_x 5\nprocesses 6\n", 6},
                                         StatRow{"Largest", "processes 18446744073709551615\n", UINT64_MAX}),
                         [](const auto& row) { return row.param.name; });

TEST(ProcStatReaderTest, CountsOwnForks) {
  const ProcStatReader proc_stat;
  const auto before = proc_stat.ReadCloneCount();
  ASSERT_TRUE(before.ok());
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(0);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  const auto after = proc_stat.ReadCloneCount();
  ASSERT_TRUE(after.ok());
  EXPECT_GE(after.value(), before.value() + 3);
}

TEST(ProcStatReaderTest, ReportsWhyOpenFailed) {
  const auto clones = ProcStatReader("/nonexistent/stat").ReadCloneCount();
  ASSERT_FALSE(clones.ok());
  EXPECT_EQ(clones.error().cause.code, ENOENT);
  EXPECT_THAT(Describe(clones.error()), AllOf(StartsWith("cannot open /proc/stat: No such file or directory; "),
                                              HasSubstr("mount all of /proc"), HasSubstr("ProcSubset=all")));
}

TEST(ProcStatReaderTest, ReportsMissingLine) {
  const auto clones = ProcStatReader("/proc/self/comm").ReadCloneCount();
  ASSERT_FALSE(clones.ok());
  EXPECT_EQ(clones.error().operation, "read `processes` from /proc/stat");
}

constexpr MachineUnits kUnits{100, 4096, 1'000'000};
const std::string kAfterComm =
    " S 1 77 77 0 -1 4194560 1 2 3 4 250 150 5 6 20 0 67 0 12345 1000000 300 18446744073709551615 1 1 0 0\n";

ProcessStats ParseStatText(const std::string& text) {
  ProcessStats stats;
  ParseStat(text, kUnits, stats);
  return stats;
}

ProcessStats ParseLimitsText(const std::string& text) {
  ProcessStats stats;
  ParseLimits(text, stats);
  return stats;
}

TEST(ProcessStatsTest, ParsesStatWithAnyCommandName) {
  ProcessStats expected;
  expected.cpu_seconds = 4.0;
  expected.start_time_seconds = 1'000'123.45;
  expected.resident_bytes = 300 * 4096;
  expected.virtual_bytes = 1'000'000;
  expected.threads = 67;
  for (const std::string comm : {"procevent", "", "a b", ") S 1 (", "))))", "((", "a\nb", "\xFF\xFE", ") S 9 9 9"}) {
    EXPECT_EQ(ParseStatText("77 (" + comm + ")" + kAfterComm), expected) << comm;
  }
}

TEST(ProcessStatsTest, OmitsMissingFields) {
  for (const std::string text : {"", "77", "77 (", "77 (comm", ")", "77 (comm)", "no brackets at all 1 2 3"}) {
    EXPECT_EQ(ParseStatText(text), ProcessStats()) << text;
  }
  ProcessStats truncated;
  truncated.cpu_seconds = 4.0;
  EXPECT_EQ(ParseStatText("77 (c) S 1 77 77 0 -1 4194560 1 2 3 4 250 150 5 6 20"), truncated);
  ProcessStats invalid;
  invalid.threads = 67;
  invalid.virtual_bytes = 1'000'000;
  EXPECT_EQ(ParseStatText("77 (c) S 1 77 77 0 -1 4194560 1 2 3 4 250 -1 5 6 20 0 67 0 x 1000000 99999999999999999999"),
            invalid);
}

TEST(ProcessStatsTest, ParsesSoftLimits) {
  const std::string header = "Limit                     Soft Limit           Hard Limit           Units     \n";
  const std::string files = "Max open files            1024                 524288               files     \n";
  const std::string space = "Max address space         unlimited            unlimited            bytes     \n";
  const ProcessStats both = ParseLimitsText(header + files + space);
  EXPECT_EQ(both.max_fds, 1024.0);
  EXPECT_EQ(both.max_virtual_bytes, std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseLimitsText(header + "Max address space         4096 8192 bytes\n").max_virtual_bytes, 4096.0);
  for (const std::string& text : {std::string(), header, std::string("Max open files"), std::string("Max open files "),
                                  std::string("Max open files \n1024 2048 files\n"), "x" + files,
                                  std::string("Max open files  many  1 files\n")}) {
    EXPECT_EQ(ParseLimitsText(text), ProcessStats()) << text;
  }
}

TEST(ProcessStatsTest, ReadsPlausibleValuesOfThisProcess) {
  const MachineUnits units = ReadMachineUnits();
  const ProcessStats stats = ReadProcessStats(units);
  EXPECT_GT(stats.resident_bytes.value(), 0U);
  EXPECT_GE(stats.virtual_bytes.value(), *stats.resident_bytes);
  EXPECT_GE(stats.threads.value(), 1U);
  EXPECT_TRUE(stats.cpu_seconds.has_value());
  EXPECT_GT(stats.max_virtual_bytes.value(), 0);
  const double now = static_cast<double>(ClockNanos(CLOCK_REALTIME)) / 1e9;
  EXPECT_LE(stats.start_time_seconds.value(), now + 1);
  EXPECT_GT(*stats.start_time_seconds, now - 86400);

  const int fd = ::dup(STDERR_FILENO);
  EXPECT_EQ(ReadProcessStats(units).open_fds.value(), stats.open_fds.value() + 1);
  ::close(fd);
  EXPECT_GE(stats.max_fds.value(), static_cast<double>(*stats.open_fds));
}

}  // namespace
}  // namespace procevent
