#include "exporter/process_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "core/base/clock.h"

namespace procevent {
namespace {

constexpr MachineUnits kUnits{100, 4096, 1'000'000};
const std::string kAfterComm =
    " S 1 77 77 0 -1 4194560 1 2 3 4 250 150 5 6 20 0 67 0 12345 1000000 300 18446744073709551615 1 1 0 0\n";

ProcessStats Stat(const std::string& text) {
  ProcessStats stats;
  ParseStat(text, kUnits, stats);
  return stats;
}

ProcessStats Limits(const std::string& text) {
  ProcessStats stats;
  ParseLimits(text, stats);
  return stats;
}

TEST(ProcessStatsTest, ReadsStatWhateverTheCommIs) {
  ProcessStats want;
  want.cpu_seconds = 4.0;
  want.start_time_seconds = 1'000'123.45;
  want.resident_bytes = 300 * 4096;
  want.virtual_bytes = 1'000'000;
  want.threads = 67;
  for (const std::string comm : {"procevent", "", "a b", ") S 1 (", "))))", "((", "a\nb", "\xFF\xFE", ") S 9 9 9"}) {
    EXPECT_EQ(Stat("77 (" + comm + ")" + kAfterComm), want) << comm;
  }
}

TEST(ProcessStatsTest, LeavesOutWhatStatDoesNotSay) {
  for (const std::string text : {"", "77", "77 (", "77 (comm", ")", "77 (comm)", "no brackets at all 1 2 3"}) {
    EXPECT_EQ(Stat(text), ProcessStats()) << text;
  }
  ProcessStats cut;
  cut.cpu_seconds = 4.0;
  EXPECT_EQ(Stat("77 (c) S 1 77 77 0 -1 4194560 1 2 3 4 250 150 5 6 20"), cut);
  ProcessStats odd;
  odd.threads = 67;
  odd.virtual_bytes = 1'000'000;
  EXPECT_EQ(Stat("77 (c) S 1 77 77 0 -1 4194560 1 2 3 4 250 -1 5 6 20 0 67 0 x 1000000 99999999999999999999"), odd);
}

TEST(ProcessStatsTest, ReadsSoftLimits) {
  const std::string header = "Limit                     Soft Limit           Hard Limit           Units     \n";
  const std::string files = "Max open files            1024                 524288               files     \n";
  const std::string space = "Max address space         unlimited            unlimited            bytes     \n";
  const ProcessStats both = Limits(header + files + space);
  EXPECT_EQ(both.max_fds, 1024.0);
  EXPECT_EQ(both.max_virtual_bytes, std::numeric_limits<double>::infinity());
  EXPECT_EQ(Limits(header + "Max address space         4096 8192 bytes\n").max_virtual_bytes, 4096.0);
  for (const std::string& text : {std::string(), header, std::string("Max open files"), std::string("Max open files "),
                                  std::string("Max open files \n1024 2048 files\n"), "x" + files,
                                  std::string("Max open files  many  1 files\n")}) {
    EXPECT_EQ(Limits(text), ProcessStats()) << text;
  }
}

TEST(ProcessStatsTest, OneFamilyForEachValueThatIsThere) {
  EXPECT_TRUE(ProcessFamilies({}).empty());
  ProcessStats stats;
  stats.open_fds = 0;
  const Families families = ProcessFamilies(stats);
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].name, "process_open_fds");
  EXPECT_EQ(families[0].metric.at(0).gauge.value, 0.0);
}

TEST(ProcessStatsTest, SaysOfThisProcessWhatIsTrue) {
  const MachineUnits units = ReadMachineUnits();
  const ProcessStats stats = ReadProcessStats(units);
  EXPECT_GT(stats.resident_bytes.value(), 0U);
  EXPECT_GE(stats.virtual_bytes.value(), *stats.resident_bytes);
  EXPECT_GE(stats.threads.value(), 1U);
  EXPECT_TRUE(stats.cpu_seconds.has_value());
  EXPECT_GT(stats.max_virtual_bytes.value(), 0);
  const double now = SecondsOf(NanosOf(CLOCK_REALTIME));
  EXPECT_LE(stats.start_time_seconds.value(), now + 1);
  EXPECT_GT(*stats.start_time_seconds, now - 86400);

  const int fd = ::dup(STDERR_FILENO);
  EXPECT_EQ(ReadProcessStats(units).open_fds.value(), stats.open_fds.value() + 1);
  ::close(fd);
  EXPECT_GE(stats.max_fds.value(), static_cast<double>(*stats.open_fds));
}

}  // namespace
}  // namespace procevent
