#include "core/ledger/comm_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/ledger/comm_rows.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CommTableTest, StartsWithTheReservedRowsOnly) {
  const CommTable table(Options(3));
  const CommStatistics& statistics = table.statistics();
  ASSERT_EQ(statistics.rows.size(), kReservedComms + 3);
  for (std::size_t id = 0; id < statistics.rows.size(); ++id) {
    EXPECT_EQ(statistics.rows[id].in_use, id < kReservedComms);
    EXPECT_EQ(statistics.rows[id].label.view(), id < kReservedComms ? kReservedCommNames.at(id) : "");
    EXPECT_EQ(statistics.rows[id].counts, Counts());
  }
  EXPECT_EQ(statistics.rows_in_use, 0U);
  EXPECT_EQ(statistics.limit, 3U);
  EXPECT_EQ(statistics.overflowed, 0U);
}

TEST(CommTableTest, AddsARowWithTheFirstCount) {
  CommTable table(Options(3));
  CommRef ref;
  EXPECT_THAT(VisibleRows(table), IsEmpty());
  CountFork(table, "bash", ref);
  CountFork(table, "bash", ref);
  CountFork(table, "bash");
  CountFork(table, "make");
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"bash", 3}, {"make", 1}}));
}

TEST(CommTableTest, CountsNamesOfOneLabelInOneRow) {
  CommTable table(Options(3));
  CountFork(table, "kworker/0:1");
  CountFork(table, "kworker/u8:2-ev");
  CountFork(table, "kworker");
  CountFork(table, "\x01");
  CountFork(table, R"(\x01)");
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"kworker", 3}, {R"(\x01)", 2}}));
}

TEST(CommTableTest, CountsNamesBeyondTheLimitInTheOverflowRow) {
  CommTable table(Options(2));
  CommRef late;
  CountFork(table, "a");
  CountFork(table, "b");
  CountFork(table, "c", late);
  EXPECT_EQ(table.statistics().overflowed, 1U);
  CountFork(table, "d");
  EXPECT_EQ(table.statistics().overflowed, 2U);
  CountFork(table, "c", late);
  CountFork(table, "c");
  CountFork(table, "a");
  EXPECT_EQ(table.statistics().overflowed, 2U) << "a name overflows once";
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 4U);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"a", 2}, {"b", 1}}));
}

TEST(CommTableTest, CountsAllNamesInTheOverflowRowWithLimitZero) {
  CommTable table(Options(0));
  CountFork(table, "a");
  CountFork(table, "");
  table.Advance(1000 * kSecond);
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(CommTableTest, PreventsForgedReservedRows) {
  LedgerOptions options = Options(200);
  for (const std::string_view reserved : kReservedCommNames) {
    const std::string second(reserved.substr(1, 1));
    options.name_groups.push_back({"(" + second + ")", R"([\1)" + std::string(reserved.substr(2))});
  }
  CommTable table(options);
  std::uint64_t counted = 0;
  for (const std::string_view reserved : kReservedCommNames) {
    for (std::size_t from = 0; from < reserved.size(); ++from) {
      CountFork(table, reserved.substr(from));
      ++counted;
    }
    CountFork(table, reserved.substr(1, 1));
    ++counted;
  }
  std::uint64_t visible = 0;
  for (const auto& [label, forks] : VisibleRows(table)) {
    EXPECT_FALSE(IsReserved(label));
    visible += forks;
  }
  EXPECT_EQ(visible, counted);
}

TEST(CommTableTest, ResolvesReservedRefsWhateverTheName) {
  CommTable table(Options(3));
  for (const auto comm : {ReservedComm::kUntracked, ReservedComm::kUnattributed}) {
    CommRef ref = CommTable::Reserved(comm);
    CountFork(table, "", ref);
    CountFork(table, "bash", ref);
    table.Advance(1000 * kSecond);
    CountFork(table, "bash", ref);
    EXPECT_EQ(ref, CommTable::Reserved(comm));
    EXPECT_EQ(Forks(table, comm), 3U);
  }
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(CommTableTest, CountsEmptyNamesInTheirReservedRow) {
  CommTable table(Options(3));
  CountFork(table, "");
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U);
  EXPECT_EQ(table.statistics().overflowed, 0U);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
}

TEST(CommTableTest, RetiresIdleRows) {
  CommTable table(Options(3));
  table.Advance(50 * kSecond);
  CountFork(table, "idle");
  CountFork(table, "busy");
  table.Advance(149 * kSecond);
  CountFork(table, "busy");
  EXPECT_EQ(table.statistics().rows_in_use, 2U);
  table.Advance(150 * kSecond);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"busy", 2}}));
  EXPECT_EQ(RetiredForks(table), 1U);
  table.Advance(249 * kSecond);
  EXPECT_THAT(VisibleRows(table), IsEmpty());
  EXPECT_EQ(RetiredForks(table), 3U);
}

TEST(CommTableTest, IgnoresEarlierTimes) {
  CommTable table(Options(3));
  table.Advance(500 * kSecond);
  CountFork(table, "a");
  table.Advance(10 * kSecond);
  CountFork(table, "b");
  table.Advance(599 * kSecond);
  EXPECT_EQ(table.statistics().rows_in_use, 2U);
  table.Advance(600 * kSecond);
  EXPECT_EQ(table.statistics().rows_in_use, 0U);
}

TEST(CommTableTest, LooksUpTheRefOfARetiredRowAgain) {
  CommTable table(Options(1));
  CommRef mine;
  CountFork(table, "mine", mine);
  table.Advance(100 * kSecond);
  CountFork(table, "second");
  CountFork(table, "mine", mine);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"second", 1}}));
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  EXPECT_EQ(RetiredForks(table), 1U);
}

TEST(CommTableTest, RestartsAReturningNameFromZero) {
  CommTable table(Options(1));
  CommRef ref;
  CountFork(table, "back", ref);
  CountFork(table, "back", ref);
  table.Advance(100 * kSecond);
  CountFork(table, "back", ref);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"back", 1}}));
  EXPECT_EQ(Sum(table), 3U);
}

TEST(CommTableTest, AssignsAFreedRowToAnOverflowedName) {
  CommTable table(Options(1));
  CommRef late;
  CountFork(table, "first");
  CountFork(table, "late", late);
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  table.Advance(100 * kSecond);
  CountFork(table, "late", late);
  EXPECT_EQ(VisibleRows(table), (std::map<std::string, std::uint64_t>{{"late", 1}}));
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U) << "counts stay in the overflow row";
}

// The histograms of a retired row are in no series any more.
TEST(CommTableTest, ClearsHistogramsOfARetiredRow) {
  LedgerOptions options = Options(3);
  options.exit_code_by_group = true;
  options.lifetime_by_group = true;
  CommTable table(options);
  CommRef ref;
  CommRow& row = table.RowOf(CommName("bash"), ref);
  row.exit_codes.Add(137);
  row.lifetimes.Add(kSecond);
  table.Advance(100 * kSecond);
  CommRow& again = table.RowOf(CommName("next"), ref = {});
  EXPECT_EQ(&again, &row);
  EXPECT_EQ(again.exit_codes, Histogram(options.exit_code_bounds));
  EXPECT_EQ(again.lifetimes, Histogram(LifetimeBounds(options)));
}

TEST(CommTableTest, ErasesTheExitReasonsOfARetiredRow) {
  CommTable table(Options(3));
  CommRef idle;
  CommRef busy;
  table.RowOf(CommName("idle"), idle);
  table.CountExitReason(idle, {.killed = false, .number = 3}, 100);
  table.RowOf(CommName("busy"), busy);
  table.CountExitReason(busy, {.killed = true, .number = 9}, 101);
  table.Advance(99 * kSecond);
  table.RowOf(CommName("busy"), busy);
  table.Advance(100 * kSecond);
  ASSERT_EQ(table.exit_reasons().size(), 1U);
  EXPECT_EQ(table.exit_reasons()[0].group, busy.id);
}

TEST(CommTableTest, HasHistogramsByCommOnlyIfConfigured) {
  CommTable table(Options(3));
  CountFork(table, "bash");
  table.Advance(100 * kSecond);
  for (const CommRow& row : table.statistics().rows) {
    EXPECT_FALSE(row.exit_codes.has_bounds() || row.lifetimes.has_bounds());
  }
}

TEST(CommTableTest, StaysBoundedWithManyNames) {
  constexpr std::uint64_t kNames = 100'000;
  CommTable table(Options(500));
  const CommRow* const rows = table.statistics().rows.data();
  CommRef ref;
  for (std::uint64_t i = 0; i < kNames; ++i) {
    CountFork(table, "rename-" + std::to_string(i), ref = {});
  }
  EXPECT_EQ(VisibleRows(table).size(), 500U);
  EXPECT_EQ(table.statistics().overflowed, kNames - 500);
  EXPECT_EQ(Sum(table), kNames);
  EXPECT_EQ(table.statistics().rows.size(), kReservedComms + 500);
  EXPECT_EQ(table.statistics().rows.data(), rows);
}

TEST(CommTableTest, AppliesNewNameRulesToLaterCountsOnly) {
  CommTable table(Options(3));
  CommRef one;
  CommRef other;
  CommRef nameless;
  CountFork(table, "worker-1", one);
  CountFork(table, "worker-2", other);
  CountFork(table, "", nameless);
  const std::vector<NameGroup> groups{{.match = "worker-.*", .name = "workers"}, {.match = "", .name = "none"}};
  table.SetNameGroups(NameGroups(groups));
  CountFork(table, "worker-1", one);
  CountFork(table, "worker-2", other);
  EXPECT_EQ(VisibleRows(table),
            (std::map<std::string, std::uint64_t>{{"worker-1", 1}, {"worker-2", 1}, {"workers", 2}}));
  CountFork(table, "", nameless);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U) << "the rule names it, and no row is free";
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  table.SetNameGroups(NameGroups({}));
  CountFork(table, "worker-1", one);
  CountFork(table, "", nameless);
  EXPECT_EQ(VisibleRows(table).at("worker-1"), 2U);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 2U);
  EXPECT_EQ(Sum(table), 8U);
}

}  // namespace
}  // namespace procevent
