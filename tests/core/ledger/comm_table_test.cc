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

TEST(CommTableTest, BeginsWithTheReservedRowsOnly) {
  const CommTable table(Options(3));
  const CommStatistics& numbers = table.statistics();
  ASSERT_EQ(numbers.rows.size(), kReservedComms + 3);
  for (std::size_t id = 0; id < numbers.rows.size(); ++id) {
    EXPECT_EQ(numbers.rows[id].in_use, id < kReservedComms);
    EXPECT_EQ(numbers.rows[id].label.view(), id < kReservedComms ? kReservedCommNames.at(id) : "");
    EXPECT_EQ(numbers.rows[id].counts, Counts());
  }
  EXPECT_EQ(numbers.rows_in_use, 0U);
  EXPECT_EQ(numbers.limit, 3U);
  EXPECT_EQ(numbers.overflowed, 0U);
}

TEST(CommTableTest, ANameGetsItsRowWithTheFirstBooking) {
  CommTable table(Options(3));
  CommRef ref;
  EXPECT_THAT(Shown(table), IsEmpty());
  Book(table, "bash", ref);
  Book(table, "bash", ref);
  Book(table, "bash");
  Book(table, "make");
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"bash", 3}, {"make", 1}}));
}

TEST(CommTableTest, NamesOfOneLabelShareARow) {
  CommTable table(Options(3));
  Book(table, "kworker/0:1");
  Book(table, "kworker/u8:2-ev");
  Book(table, "kworker");
  Book(table, "\x01");
  Book(table, R"(\x01)");
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"kworker", 3}, {R"(\x01)", 2}}));
}

TEST(CommTableTest, NamesBeyondTheLimitShareARow) {
  CommTable table(Options(2));
  CommRef late;
  Book(table, "a");
  Book(table, "b");
  Book(table, "c", late);
  EXPECT_EQ(table.statistics().overflowed, 1U);
  Book(table, "d");
  EXPECT_EQ(table.statistics().overflowed, 2U);
  Book(table, "c", late);
  Book(table, "c");
  Book(table, "a");
  EXPECT_EQ(table.statistics().overflowed, 2U) << "each of them is new once";
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 4U);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"a", 2}, {"b", 1}}));
}

TEST(CommTableTest, WithALimitOfNoneAllShareARow) {
  CommTable table(Options(0));
  Book(table, "a");
  Book(table, "");
  table.Advance(1000 * kSecond);
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U);
  EXPECT_THAT(Shown(table), IsEmpty());
}

TEST(CommTableTest, NobodyForgesAReservedRow) {
  LedgerOptions options = Options(200);
  for (const std::string_view reserved : kReservedCommNames) {
    const std::string second(reserved.substr(1, 1));
    options.name_groups.push_back({"(" + second + ")", R"([\1)" + std::string(reserved.substr(2))});
  }
  CommTable table(options);
  std::uint64_t booked = 0;
  for (const std::string_view reserved : kReservedCommNames) {
    for (std::size_t from = 0; from < reserved.size(); ++from) {
      Book(table, reserved.substr(from));
      ++booked;
    }
    Book(table, reserved.substr(1, 1));
    ++booked;
  }
  std::uint64_t shown = 0;
  for (const auto& [label, forks] : Shown(table)) {
    EXPECT_FALSE(IsReserved(label));
    shown += forks;
  }
  EXPECT_EQ(shown, booked);
}

TEST(CommTableTest, AReservedRowIsReachedByItsRefWhateverTheName) {
  CommTable table(Options(3));
  for (const auto comm : {ReservedComm::kUntracked, ReservedComm::kUnattributed}) {
    CommRef ref = CommTable::Reserved(comm);
    Book(table, "", ref);
    Book(table, "bash", ref);
    table.Advance(1000 * kSecond);
    Book(table, "bash", ref);
    EXPECT_EQ(ref, CommTable::Reserved(comm));
    EXPECT_EQ(Forks(table, comm), 3U);
  }
  EXPECT_THAT(Shown(table), IsEmpty());
}

TEST(CommTableTest, AnEmptyNameHasARowOfItsOwn) {
  CommTable table(Options(3));
  Book(table, "");
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U);
  EXPECT_EQ(table.statistics().overflowed, 0U);
  EXPECT_THAT(Shown(table), IsEmpty());
}

TEST(CommTableTest, AnIdleRowIsFoldedAway) {
  CommTable table(Options(3));
  table.Advance(50 * kSecond);
  Book(table, "idle");
  Book(table, "busy");
  table.Advance(149 * kSecond);
  Book(table, "busy");
  EXPECT_EQ(table.statistics().rows_in_use, 2U);
  table.Advance(150 * kSecond);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"busy", 2}}));
  EXPECT_EQ(Forks(table, ReservedComm::kRetired), 1U);
  table.Advance(249 * kSecond);
  EXPECT_THAT(Shown(table), IsEmpty());
  EXPECT_EQ(Forks(table, ReservedComm::kRetired), 3U);
}

TEST(CommTableTest, TimeDoesNotGoBack) {
  CommTable table(Options(3));
  table.Advance(500 * kSecond);
  Book(table, "a");
  table.Advance(10 * kSecond);
  Book(table, "b");
  table.Advance(599 * kSecond);
  EXPECT_EQ(table.statistics().rows_in_use, 2U);
  table.Advance(600 * kSecond);
  EXPECT_EQ(table.statistics().rows_in_use, 0U);
}

TEST(CommTableTest, TheRefOfARetiredRowIsLookedUpAnew) {
  CommTable table(Options(1));
  CommRef mine;
  Book(table, "mine", mine);
  table.Advance(100 * kSecond);
  Book(table, "another's");
  Book(table, "mine", mine);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"another's", 1}}));
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  EXPECT_EQ(Forks(table, ReservedComm::kRetired), 1U);
}

TEST(CommTableTest, ANameComesBackFromZero) {
  CommTable table(Options(1));
  CommRef ref;
  Book(table, "back", ref);
  Book(table, "back", ref);
  table.Advance(100 * kSecond);
  Book(table, "back", ref);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"back", 1}}));
  EXPECT_EQ(Sum(table), 3U);
}

TEST(CommTableTest, ANameBeyondTheLimitGetsARowThatIsFree) {
  CommTable table(Options(1));
  CommRef late;
  Book(table, "first");
  Book(table, "late", late);
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  table.Advance(100 * kSecond);
  Book(table, "late", late);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"late", 1}}));
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U) << "what was booked there stays there";
}

TEST(CommTableTest, HistogramsByCommAreFoldedToo) {
  LedgerOptions options = Options(3);
  options.exit_code_by_comm = true;
  options.lifetime_by_comm = true;
  CommTable table(options);
  CommRef ref;
  CommRow& row = table.RowOf(CommName("bash"), ref);
  row.exit_codes.Add(137);
  row.lifetimes.Add(7);
  row.lifetimes.Add(kSecond);
  table.RowOf(CommName("make"), ref = {}).exit_codes.Add(2);
  table.Advance(100 * kSecond);
  const CommRow& retired = table.statistics().rows[static_cast<std::size_t>(ReservedComm::kRetired)];
  EXPECT_EQ(retired.exit_codes.upper(), options.exit_code_bounds);
  EXPECT_EQ(retired.exit_codes.count(), 2U);
  EXPECT_EQ(retired.exit_codes.sum(), 139U);
  EXPECT_EQ(retired.lifetimes.upper(), LifetimeBounds(options));
  EXPECT_EQ(retired.lifetimes.count(), 2U);
  EXPECT_EQ(retired.lifetimes.sum(), kSecond + 7);
  CommRow& again = table.RowOf(CommName("next"), ref = {});
  EXPECT_TRUE(again.exit_codes.has_bounds());
  EXPECT_EQ(again.exit_codes.count() + again.exit_codes.sum() + again.lifetimes.count() + again.lifetimes.sum(), 0U);
}

TEST(CommTableTest, HistogramsByCommAreNotThereUnlessConfigured) {
  CommTable table(Options(3));
  Book(table, "bash");
  table.Advance(100 * kSecond);
  for (const CommRow& row : table.statistics().rows) {
    EXPECT_FALSE(row.exit_codes.has_bounds() || row.lifetimes.has_bounds());
  }
}

TEST(CommTableTest, ManyNamesLeaveItBounded) {
  constexpr std::uint64_t kNames = 100'000;
  CommTable table(Options(500));
  const CommRow* const rows = table.statistics().rows.data();
  CommRef ref;
  for (std::uint64_t i = 0; i < kNames; ++i) {
    Book(table, "rename-" + std::to_string(i), ref = {});
  }
  EXPECT_EQ(Shown(table).size(), 500U);
  EXPECT_EQ(table.statistics().overflowed, kNames - 500);
  EXPECT_EQ(Sum(table), kNames);
  EXPECT_EQ(table.statistics().rows.size(), kReservedComms + 500);
  EXPECT_EQ(table.statistics().rows.data(), rows);
}

TEST(CommTableTest, OtherGroupsHoldForWhatIsBookedFromThenOn) {
  CommTable table(Options(3));
  CommRef one;
  CommRef other;
  CommRef nameless;
  Book(table, "worker-1", one);
  Book(table, "worker-2", other);
  Book(table, "", nameless);
  const std::vector<NameGroup> groups{{.match = "worker-.*", .name = "workers"}, {.match = "", .name = "none"}};
  table.SetNameGroups(NameGroups(groups));
  Book(table, "worker-1", one);
  Book(table, "worker-2", other);
  EXPECT_EQ(Shown(table), (std::map<std::string, std::uint64_t>{{"worker-1", 1}, {"worker-2", 1}, {"workers", 2}}));
  Book(table, "", nameless);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 1U) << "its group has a name, and found no row";
  EXPECT_EQ(Forks(table, ReservedComm::kOverflow), 1U);
  table.SetNameGroups(NameGroups({}));
  Book(table, "worker-1", one);
  Book(table, "", nameless);
  EXPECT_EQ(Shown(table).at("worker-1"), 2U);
  EXPECT_EQ(Forks(table, ReservedComm::kNameless), 2U);
  EXPECT_EQ(Sum(table), 8U);
}

}  // namespace
}  // namespace procevent
