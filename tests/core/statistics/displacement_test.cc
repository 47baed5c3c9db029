// When a group displaces another one, and what becomes of their counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "core/statistics/displacement_budget.h"
#include "tests/core/statistics/group_rows.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;
using Process = GroupTableDriver::Process;

constexpr std::uint64_t kMinute = 60 * kSecond;

TEST(DisplacementBudgetTest, AllowsATenthOfTheLimitWithinAMinute) {
  DisplacementBudget budget(30);
  for (const std::uint64_t at : {100 * kSecond, 110 * kSecond, 120 * kSecond}) {
    ASSERT_TRUE(budget.PriceAt(at));
    budget.Record(at);
  }
  EXPECT_FALSE(budget.PriceAt(160 * kSecond - 1));
  EXPECT_TRUE(budget.PriceAt(160 * kSecond)) << "the first one is a minute ago";
}

TEST(DisplacementBudgetTest, AllowsTheLimitWithinAnHour) {
  DisplacementBudget budget(20);
  std::uint64_t now = kMinute;
  for (int i = 0; i < 20; ++i, now += kMinute) {
    ASSERT_TRUE(budget.PriceAt(now)) << i;
    budget.Record(now);
  }
  EXPECT_FALSE(budget.PriceAt(61 * kMinute - 1));
  EXPECT_TRUE(budget.PriceAt(61 * kMinute));
}

TEST(DisplacementBudgetTest, MultipliesThePriceByThreeWithEachTenthOfTheHour) {
  DisplacementBudget budget(20);
  std::uint64_t now = kMinute;
  std::uint64_t price = 10;
  for (int tenth = 0; tenth < 10; ++tenth, price *= 3) {
    for (int i = 0; i < 2; ++i, now += kMinute) {
      EXPECT_EQ(budget.PriceAt(now), price);
      budget.Record(now);
    }
  }
  EXPECT_EQ(budget.PriceAt(now + 2 * 60 * kMinute), 10U);
}

TEST(DisplacementBudgetTest, MultipliesThePriceByThreeWithEachTenthOfTheMinute) {
  DisplacementBudget budget(200);
  std::uint64_t price = 10;
  for (int tenth = 0; tenth < 10; ++tenth, price *= 3) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(budget.PriceAt(kMinute), price);
      budget.Record(kMinute);
    }
  }
  EXPECT_EQ(budget.PriceAt(2 * kMinute), 30U) << "a tenth of the hour's bound is used";
}

TEST(DisplacementBudgetTest, KeepsItsRecordsWhenItGrows) {
  DisplacementBudget budget(10);
  for (std::uint64_t minute = 1; minute <= 10; ++minute) {
    budget.Record(minute * kMinute);
  }
  ASSERT_FALSE(budget.PriceAt(11 * kMinute));
  budget.Grow(20);
  EXPECT_EQ(budget.PriceAt(11 * kMinute), 10U * 243) << "half of it is used";
  EXPECT_EQ(budget.PriceAt(61 * kMinute), 10U * 81) << "9 of 20 are used";
}

TEST(DisplacementBudgetTest, GrowsAfterItsFirstRecordsExpired) {
  DisplacementBudget budget(10);
  for (std::uint64_t minute = 1; minute <= 10; ++minute) {
    budget.Record(minute * kMinute);
  }
  ASSERT_TRUE(budget.PriceAt(65 * kMinute)) << "5 of them are within an hour";
  budget.Grow(100);
  EXPECT_EQ(budget.PriceAt(65 * kMinute), 10U);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(budget.PriceAt(69 * kMinute)) << i;
    budget.Record(69 * kMinute);
  }
  EXPECT_FALSE(budget.PriceAt(69 * kMinute));
  EXPECT_EQ(budget.PriceAt(70 * kMinute), 30U) << "10 of 100 are used, the last of them a minute ago";
}

TEST(DisplacementBudgetTest, AllowsOneAMinuteWithATinyLimit) {
  DisplacementBudget budget(5);
  ASSERT_TRUE(budget.PriceAt(kMinute));
  budget.Record(kMinute);
  EXPECT_FALSE(budget.PriceAt(2 * kMinute - 1));
  EXPECT_TRUE(budget.PriceAt(2 * kMinute));
}

TEST(DisplacementBudgetTest, AllowsNothingWithLimitZero) { EXPECT_FALSE(DisplacementBudget(0).PriceAt(kMinute)); }

// A table that is full of groups that were admitted in the first second.
class DisplacementTest : public testing::Test {
 protected:
  static constexpr std::size_t kLimit = 10;
  static constexpr std::uint64_t kForksEach = 3;

  DisplacementTest() {
    table_.Advance(kSecond);
    for (std::size_t i = 0; i < kLimit; ++i) {
      Process(table_, "old " + std::to_string(i)).Fork(kForksEach);
    }
  }
  // Counts `forks` one by one, a millisecond apart.
  void ForkOneByOne(std::string_view name, std::uint64_t forks) {
    for (std::uint64_t i = 0; i < forks; ++i) {
      now_ns_ += kSecond / 1000;
      table_.Advance(now_ns_);
      table_.CountFork(name);
    }
  }
  void Pass(std::uint64_t duration_ns) {
    now_ns_ += duration_ns;
    table_.Advance(now_ns_);
  }
  [[nodiscard]] bool HasRow(const std::string& name) const { return VisibleRows(table_).contains(name); }

  GroupTableDriver table_{Options(kLimit, 1h)};
  std::uint64_t now_ns_ = 10 * kSecond;
};

TEST_F(DisplacementTest, AStormTakesTheRowOfTheLeastActiveGroup) {
  for (std::size_t i = 0; i < kLimit; ++i) {
    if (i != 6) {
      Process(table_, "old " + std::to_string(i)).Fork();
    }
  }
  ForkOneByOne("storm", 300);
  EXPECT_TRUE(HasRow("storm"));
  EXPECT_FALSE(HasRow("old 6"));
  EXPECT_EQ(table_.state().displaced, 1U);
  EXPECT_EQ(table_.state().rows_in_use, kLimit);
  EXPECT_EQ(RetiredForks(table_), kForksEach);
  const std::uint64_t before = VisibleRows(table_)["storm"];
  EXPECT_EQ(before + Forks(table_, ReservedGroup::kOverflow), 300U);
  ForkOneByOne("storm", 100);
  EXPECT_EQ(VisibleRows(table_)["storm"], before + 100) << "exact from its admission";
}

TEST_F(DisplacementTest, OfEquallyActiveGroupsTheFirstAdmittedIsDisplaced) {
  ForkOneByOne("storm", 300);
  EXPECT_FALSE(HasRow("old 0"));
}

TEST_F(DisplacementTest, ANewRowIsProtectedForFiveMinutes) {
  // 10 times 3 activities, and the price of 10.
  ForkOneByOne("busier", 10 * kForksEach + 9);
  Pass(kSecond);
  ForkOneByOne("busier", 1);
  EXPECT_FALSE(HasRow("busier")) << "39 activities were counted before";
  Pass(kSecond);
  ForkOneByOne("busier", 1);
  EXPECT_TRUE(HasRow("busier"));
}

TEST_F(DisplacementTest, TheProtectionEndsAfterFiveMinutes) {
  // All were admitted at 1 s. Their activities are counted after the halving at 300 s.
  Pass(300 * kSecond - now_ns_);
  for (std::size_t i = 0; i < kLimit; ++i) {
    Process(table_, "old " + std::to_string(i)).Fork(1000);
  }
  Process(table_, "busier").Fork(2012);
  Pass(kSecond - 1);
  table_.CountFork("busier");
  EXPECT_FALSE(HasRow("busier"));
  Pass(1);
  table_.CountFork("busier");
  EXPECT_FALSE(HasRow("busier")) << "the last search was less than 100 ms ago";
  Pass(kSecond / 10 - 1);
  table_.CountFork("busier");
  EXPECT_TRUE(HasRow("busier"));
}

TEST_F(DisplacementTest, LaterItIsDisplacedByATwiceAsActiveGroup) {
  Pass(5 * kMinute);  // the activities are halved: 1 each
  ForkOneByOne("busier", 2 * (kForksEach / 2) + 9);
  Pass(kSecond);
  ForkOneByOne("busier", 1);
  EXPECT_FALSE(HasRow("busier"));
  Pass(kSecond);
  ForkOneByOne("busier", 1);
  EXPECT_TRUE(HasRow("busier"));
}

// A row for a command that has ended would cost another one its series for nothing.
TEST_F(DisplacementTest, OnlyAGroupThatActsDisplaces) {
  Process(table_, "ended").Fork(5000);
  Pass(kSecond);
  for (int i = 0; i < 9; ++i) {
    table_.CountFork("another");
    Pass(kSecond);
  }
  EXPECT_EQ(table_.state().displaced, 0U);
  table_.CountFork("ended");
  EXPECT_TRUE(HasRow("ended"));
}

TEST_F(DisplacementTest, NamesWithFewActivitiesDisplaceNothing) {
  for (int i = 0; i < 50'000; ++i) {
    Pass(kSecond / 50);
    Process(table_, "flood " + std::to_string(i)).Fork(2);
  }
  EXPECT_EQ(table_.state().displaced, 0U);
}

TEST_F(DisplacementTest, ADisplacedGroupStartsFromZeroWithAnotherSerial) {
  const auto row_of = [this](std::string_view name) -> const GroupRow* {
    for (const GroupRow& row : table_.state().rows) {
      if (row.in_use() && row.labels[0].view() == name) {
        return &row;
      }
    }
    return nullptr;
  };
  const std::uint64_t serial = row_of("old 0")->serial;
  ForkOneByOne("storm", 300);
  ASSERT_FALSE(HasRow("old 0"));
  Pass(kMinute);
  ForkOneByOne("old 0", 300);
  ASSERT_TRUE(HasRow("old 0"));
  EXPECT_GT(row_of("old 0")->serial, serial);
  EXPECT_LT(VisibleRows(table_)["old 0"], 300U);
  EXPECT_EQ(Sum(table_), kLimit * kForksEach + 600);
}

TEST_F(DisplacementTest, TheExitReasonsOfADisplacedGroupAreErased) {
  Process(table_, "old 9").Fork(100);
  for (int i = 0; i < 9; ++i) {
    Process(table_, "old " + std::to_string(i)).Exit({.status = {.status = 7}, .pid = 100 + i});
  }
  ASSERT_EQ(table_.exit_reasons().size(), 9U);
  ForkOneByOne("storm", 300);
  ASSERT_FALSE(HasRow("old 0"));
  ASSERT_EQ(table_.exit_reasons().size(), 8U);
  EXPECT_EQ(table_.exit_reasons()[0].last_pid, 101);
}

TEST_F(DisplacementTest, GrowingGivesRowsToGroupsThatHadNone) {
  table_.CountFork("late");
  table_.Grow(kLimit + 1);
  EXPECT_EQ(table_.state().limit, kLimit + 1);
  table_.CountFork("late");
  EXPECT_EQ(VisibleRows(table_)["late"], 1U);
  EXPECT_EQ(table_.state().rows_in_use, kLimit + 1);
  table_.CountFork("too late");
  EXPECT_EQ(Forks(table_, ReservedGroup::kOverflow), 2U);
  table_.Grow(kLimit);
  EXPECT_EQ(table_.state().limit, kLimit + 1) << "no group loses its row";
  EXPECT_EQ(Sum(table_), kLimit * kForksEach + 3);
}

TEST(GroupTableGrowTest, NewRowsHaveTheHistogramsOfTheOldOnes) {
  CountingOptions options = Options(1);
  options.exit_code_by_group = true;
  GroupTableDriver table(options);
  const ProcessExit exit{.status = {.status = 5}};
  Process(table, "first").Exit(exit);
  Process(table, Attributes{.missing = Attributes::Missing::kUntracked, .comm = {}}).Exit(exit);
  table.Grow(2);
  const std::vector<GroupRow>& rows = table.state().rows;
  ASSERT_EQ(rows.size(), kReservedGroups + 2);
  EXPECT_EQ(rows[kReservedGroups + 1].labels[0].view(), "");
  Process(table, "second").Exit(exit);
  EXPECT_EQ(rows[kReservedGroups + 1].labels[0].view(), "second");
  EXPECT_EQ(rows[kReservedGroups + 1].exit_codes, rows[kReservedGroups].exit_codes);
  EXPECT_EQ(rows[kReservedGroups + 1].exit_codes.count(), 1U);
  EXPECT_EQ(rows[kReservedGroups + 1].counts, rows[kReservedGroups].counts);
}

TEST(GroupTableGrowTest, RaisesTheBoundsOfExitReasonsAndDisplacements) {
  GroupTableDriver table(Options(10, 1h));
  table.Grow(100);
  table.Advance(kSecond);
  for (std::size_t i = 0; i < 100; ++i) {
    const Process process(table, "old " + std::to_string(i));
    process.Exit({.status = {.signal = 9}});
  }
  EXPECT_EQ(table.exit_reasons().size(), 100U);
  for (std::uint64_t i = 0; i < 10; ++i) {
    table.Advance((10 + i) * kSecond);
    const Process storm(table, "storm " + std::to_string(i));
    storm.Fork(10'000'000);
    storm.Fork();
    table.Advance((10 + i) * kSecond + kSecond / 2);
    storm.Fork();
  }
  EXPECT_EQ(table.state().displaced, 10U) << "a tenth of the new limit within a minute";
}

// The label of a name that is cached without a row is used for another name, after many others.
TEST(GroupTableTest, LooksUpANameAgainWhenItsGroupWasReplaced) {
  GroupTableDriver table(Options(1, 1h));
  table.Advance(kSecond);
  Process(table, "old").Fork(1000);
  const Process mine(table, "mine");
  mine.Fork();
  for (int i = 0; i < 3000; ++i) {
    table.CountFork("flood " + std::to_string(i));
  }
  table.Grow(2);
  mine.Fork(7);
  EXPECT_EQ(VisibleRows(table)["mine"], 7U);
}

}  // namespace
}  // namespace procevent
