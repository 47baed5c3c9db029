#include "core/statistics/group_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/core/statistics/group_rows.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GroupTableTest, StartsWithTheReservedRowsOnly) {
  const GroupTable table(Options(3));
  const GroupTableState& statistics = table.state();
  ASSERT_EQ(statistics.rows.size(), kReservedGroups + 3);
  for (std::size_t id = 0; id < statistics.rows.size(); ++id) {
    EXPECT_EQ(statistics.rows[id].in_use(), id < kReservedGroups);
    EXPECT_EQ(statistics.rows[id].labels[0].view(), id < kReservedGroups ? kReservedGroupNames.at(id) : "");
    EXPECT_EQ(statistics.rows[id].counts, Counts());
  }
  EXPECT_EQ(statistics.rows_in_use, 0U);
  EXPECT_EQ(statistics.limit, 3U);
  EXPECT_EQ(statistics.overflowed, 0U);
}

TEST(GroupTableTest, AddsARowWithTheFirstCount) {
  GroupTableDriver table(Options(3));
  EXPECT_THAT(VisibleRows(table), IsEmpty());
  const GroupTableDriver::Process bash(table, "bash");
  bash.Fork();
  bash.Fork();
  table.CountFork("bash");
  table.CountFork("make");
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"bash", 3}, {"make", 1}}));
}

TEST(GroupTableTest, CountsNamesOfOneLabelInOneRow) {
  GroupTableDriver table(Options(3));
  table.CountFork("kworker/0:1");
  table.CountFork("kworker/u8:2-ev");
  table.CountFork("kworker");
  table.CountFork("\x01");
  table.CountFork(R"(\x01)");
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"kworker", 3}, {R"(\x01)", 2}}));
}

TEST(GroupTableTest, CountsNamesBeyondTheLimitInTheOverflowRow) {
  GroupTableDriver table(Options(2));
  table.CountFork("a");
  table.CountFork("b");
  const GroupTableDriver::Process late(table, "c");
  late.Fork();
  EXPECT_EQ(table.state().overflowed, 1U);
  table.CountFork("d");
  EXPECT_EQ(table.state().overflowed, 2U);
  late.Fork();
  table.CountFork("c");
  table.CountFork("a");
  EXPECT_EQ(table.state().overflowed, 2U) << "a name overflows once";
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 4U);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"a", 2}, {"b", 1}}));
}

TEST(GroupTableTest, CountsAllNamesInTheOverflowRowWithLimitZero) {
  GroupTableDriver table(Options(0));
  table.CountFork("a");
  table.CountFork("");
  table.Advance(1000 * kSecond);
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 1U);
  EXPECT_EQ(Forks(table, ReservedGroup::kNameless), 1U);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(GroupTableTest, PreventsForgedReservedRows) {
  CountingOptions options = Options(200);
  for (const std::string_view reserved : kReservedGroupNames) {
    const std::string second(reserved.substr(1, 1));
    options.name_groups.push_back({"(" + second + ")", R"([\1)" + std::string(reserved.substr(2))});
  }
  GroupTableDriver table(options);
  std::uint64_t counted = 0;
  for (const std::string_view reserved : kReservedGroupNames) {
    for (std::size_t from = 0; from < reserved.size(); ++from) {
      table.CountFork(reserved.substr(from));
      ++counted;
    }
    table.CountFork(reserved.substr(1, 1));
    ++counted;
  }
  std::uint64_t visible = 0;
  for (const auto& [label, forks] : VisibleRows(table)) {
    EXPECT_FALSE(IsReserved(label));
    visible += forks;
  }
  EXPECT_EQ(visible, counted);
}

TEST(GroupTableTest, CountsMissingAttributesInReservedRowsWhateverTheName) {
  GroupTableDriver table(Options(3));
  for (const auto& [missing, group] : {std::pair{Attributes::Missing::kUntracked, ReservedGroup::kUntracked},
                                       std::pair{Attributes::Missing::kUnattributed, ReservedGroup::kUnattributed}}) {
    GroupTableDriver::Process(table, Attributes{.missing = missing, .comm = {}}).Fork();
    GroupTableDriver::Process(table, Attributes{.missing = missing, .comm = CommName("bash")}).Fork();
    table.Advance(1000 * kSecond);
    GroupTableDriver::Process(table, Attributes{.missing = missing, .comm = CommName("bash")}).Fork();
    EXPECT_EQ(Forks(table, group), 3U);
  }
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(GroupTableTest, CountsActivitiesThatWaitedTogether) {
  GroupTableDriver table(Options(3));
  GroupTableDriver::Process(table, "make").Fork(7);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"make", 7}}));
}

// An entry of the interned attributes is used again by another name.
TEST(GroupTableTest, DoesNotConfuseNamesThatHadTheSameId) {
  GroupTableDriver table(Options(200));
  for (int i = 0; i < 100; ++i) {
    table.CountFork("name-" + std::to_string(i));
  }
  EXPECT_EQ(VisibleRows(table).size(), 100U);
  for (const auto& [label, forks] : VisibleRows(table)) {
    EXPECT_EQ(forks, 1U) << label;
  }
}

TEST(GroupTableTest, CountsEmptyNamesInTheirReservedRow) {
  GroupTableDriver table(Options(3));
  table.CountFork("");
  EXPECT_EQ(Forks(table, ReservedGroup::kNameless), 1U);
  EXPECT_EQ(table.state().overflowed, 0U);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(GroupTableTest, RetiresIdleRows) {
  GroupTableDriver table(Options(3));
  table.Advance(50 * kSecond);
  table.CountFork("idle");
  table.CountFork("busy");
  table.Advance(149 * kSecond);
  table.CountFork("busy");
  EXPECT_EQ(table.state().rows_in_use, 2U);
  table.Advance(150 * kSecond);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"busy", 2}}));
  EXPECT_EQ(RetiredForks(table), 1U);
  table.Advance(249 * kSecond);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
  EXPECT_EQ(RetiredForks(table), 3U);
}

TEST(GroupTableTest, IgnoresEarlierTimes) {
  GroupTableDriver table(Options(3));
  table.Advance(500 * kSecond);
  table.CountFork("a");
  table.Advance(10 * kSecond);
  table.CountFork("b");
  table.Advance(599 * kSecond);
  EXPECT_EQ(table.state().rows_in_use, 2U);
  table.Advance(600 * kSecond);
  EXPECT_EQ(table.state().rows_in_use, 0U);
}

TEST(GroupTableTest, LooksUpTheRefOfARetiredRowAgain) {
  GroupTableDriver table(Options(1));
  const GroupTableDriver::Process mine(table, "mine");
  mine.Fork();
  table.Advance(100 * kSecond);
  table.CountFork("second");
  mine.Fork();
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"second", 1}}));
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 1U);
  EXPECT_EQ(RetiredForks(table), 1U);
}

TEST(GroupTableTest, RestartsAReturningNameFromZero) {
  GroupTableDriver table(Options(1));
  const GroupTableDriver::Process back(table, "back");
  back.Fork();
  back.Fork();
  table.Advance(100 * kSecond);
  back.Fork();
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"back", 1}}));
  EXPECT_EQ(Sum(table), 3U);
}

TEST(GroupTableTest, AssignsAFreedRowToAnOverflowedName) {
  GroupTableDriver table(Options(1));
  table.CountFork("first");
  const GroupTableDriver::Process late(table, "late");
  late.Fork();
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 1U);
  table.Advance(100 * kSecond);
  late.Fork();
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"late", 1}}));
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 1U) << "counts stay in the overflow row";
}

// The histograms of a retired row are in no series any more.
TEST(GroupTableTest, ClearsHistogramsOfARetiredRow) {
  CountingOptions options = Options(3);
  options.exit_code_by_group = true;
  options.lifetime_by_group = true;
  GroupTableDriver table(options);
  const ProcessExit exit{.status = {.signal = 9}, .lifetime_known = true, .lifetime_ns = kSecond};
  GroupTableDriver::Process(table, "bash").Exit(exit);
  const GroupRow& row = table.state().rows[kReservedGroups];
  EXPECT_EQ(row.exit_codes.sum(), 137U);
  EXPECT_EQ(row.lifetimes.sum(), kSecond);
  table.Advance(100 * kSecond);
  table.CountFork("next");
  EXPECT_EQ(row.labels[0].view(), "next");
  EXPECT_EQ(row.exit_codes, Histogram(options.exit_code_bounds));
  EXPECT_EQ(row.lifetimes, Histogram(LifetimeBounds(options)));
}

TEST(GroupTableTest, ErasesTheExitReasonsOfARetiredRow) {
  GroupTableDriver table(Options(3));
  GroupTableDriver::Process(table, "idle").Exit({.status = {.status = 3}, .pid = 100});
  GroupTableDriver::Process(table, "busy").Exit({.status = {.signal = 9}, .pid = 101});
  ASSERT_EQ(table.exit_reasons().size(), 2U);
  table.Advance(99 * kSecond);
  table.CountFork("busy");
  table.Advance(100 * kSecond);
  ASSERT_EQ(table.exit_reasons().size(), 1U);
  EXPECT_EQ(table.exit_reasons()[0].last_pid, 101);
}

TEST(GroupTableTest, HasHistogramsByCommOnlyIfConfigured) {
  GroupTableDriver table(Options(3));
  table.CountFork("bash");
  table.Advance(100 * kSecond);
  for (const GroupRow& row : table.state().rows) {
    EXPECT_FALSE(row.exit_codes.has_bounds() || row.lifetimes.has_bounds());
  }
}

TEST(GroupTableTest, StaysBoundedWithManyNames) {
  constexpr std::uint64_t kNames = 100'000;
  GroupTableDriver table(Options(500));
  const GroupRow* const rows = table.state().rows.data();
  for (std::uint64_t i = 0; i < kNames; ++i) {
    table.CountFork("rename-" + std::to_string(i));
  }
  EXPECT_EQ(VisibleRows(table).size(), 500U);
  EXPECT_EQ(table.state().overflowed, kNames - 500);
  EXPECT_EQ(Sum(table), kNames);
  EXPECT_EQ(table.state().rows.size(), kReservedGroups + 500);
  EXPECT_EQ(table.state().rows.data(), rows);
}

TEST(GroupTableTest, AppliesNewNameRulesToLaterCountsOnly) {
  GroupTableDriver table(Options(3));
  const GroupTableDriver::Process one(table, "worker-1");
  const GroupTableDriver::Process other(table, "worker-2");
  const GroupTableDriver::Process nameless(table, "");
  one.Fork();
  other.Fork();
  nameless.Fork();
  const std::vector<NameGroup> groups{{.match = "worker-.*", .name = "workers"}, {.match = "", .name = "none"}};
  table.SetNameGroups(NameGroups(groups));
  one.Fork();
  other.Fork();
  EXPECT_EQ(VisibleRows(table),
            (std::map<std::string, std::uint64_t>{{"worker-1", 1}, {"worker-2", 1}, {"workers", 2}}));
  nameless.Fork();
  EXPECT_EQ(Forks(table, ReservedGroup::kNameless), 1U) << "the rule names it, and no row is free";
  EXPECT_EQ(Forks(table, ReservedGroup::kOverflow), 1U);
  table.SetNameGroups(NameGroups({}));
  one.Fork();
  nameless.Fork();
  EXPECT_EQ(VisibleRows(table).at("worker-1"), 2U);
  EXPECT_EQ(Forks(table, ReservedGroup::kNameless), 2U);
  EXPECT_EQ(Sum(table), 8U);
}

}  // namespace
}  // namespace procevent
