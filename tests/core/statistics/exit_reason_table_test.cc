#include "core/statistics/exit_reason_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <tuple>
#include <vector>

namespace procevent {
namespace {

using Key = std::tuple<std::uint16_t, bool, std::uint8_t>;  // group, killed, number

std::map<Key, std::uint64_t> CountsOf(const ExitReasonTable& table) {
  std::map<Key, std::uint64_t> counts;
  for (const ExitReasonCount& pair : table.counts()) {
    counts[{pair.group, pair.reason.killed, pair.reason.number}] += pair.count;
  }
  return counts;
}

ProcessExit ExitBy(ExitReason reason, std::int32_t pid = 1) {
  const WaitStatus status = reason.killed ? WaitStatus{.signal = reason.number} : WaitStatus{.status = reason.number};
  return {.status = status, .pid = pid};
}

TEST(ExitReasonTableTest, CountsByGroupAndReason) {
  ExitReasonTable table(9);
  table.Count(7, ExitBy({.killed = false, .number = 1}, 100));
  table.Count(7, ExitBy({.killed = true, .number = 1}, 101));
  table.Count(8, ExitBy({.killed = false, .number = 1}, 102));
  table.Count(7, ExitBy({.killed = false, .number = 1}, 103));
  EXPECT_EQ(CountsOf(table), (std::map<Key, std::uint64_t>{{{7, false, 1}, 2}, {{7, true, 1}, 1}, {{8, false, 1}, 1}}));
  EXPECT_EQ(table.counts()[0].last_pid, 103) << "of the latest process";
}

TEST(ExitReasonTableTest, CountsExitsWithoutExec) {
  ExitReasonTable table(9);
  for (const bool without_exec : {true, false, true}) {
    table.Count(7, {.status = {.signal = 11}, .without_exec = without_exec});
  }
  table.Count(7, {.status = {}, .without_exec = true});
  ASSERT_EQ(table.counts().size(), 1U) << "status 0 is no reason";
  EXPECT_EQ(table.counts()[0].count, 3U);
  EXPECT_EQ(table.counts()[0].without_exec, 2U);
}

TEST(ExitReasonTableTest, ExtremeKeysDiffer) {
  ExitReasonTable table(65'536);
  for (const unsigned group : {0U, 65'535U}) {
    for (const bool killed : {false, true}) {
      for (const unsigned number : {1U, 255U}) {
        table.Count(static_cast<std::uint16_t>(group), ExitBy({killed, static_cast<std::uint8_t>(number)}));
      }
    }
  }
  EXPECT_EQ(table.counts().size(), 8U);
}

TEST(ExitReasonTableTest, CountsKnownPairsOnlyWhenFull) {
  ExitReasonTable table(1);
  for (std::uint8_t number = 1; number <= kExitCodesPerGroup + 2; ++number) {
    table.Count(0, ExitBy({.killed = false, .number = number}));
  }
  table.Count(0, ExitBy({.killed = false, .number = 2}));
  EXPECT_EQ(CountsOf(table),
            (std::map<Key, std::uint64_t>{{{0, false, 1}, 1}, {{0, false, 2}, 2}, {{0, false, 3}, 1}}));
}

TEST(ExitReasonTableTest, KeepsRoomForOtherGroupsAndForSignals) {
  ExitReasonTable table(100);
  for (unsigned status = 1; status < 256; ++status) {
    table.Count(7, ExitBy({.killed = false, .number = static_cast<std::uint8_t>(status)}));
  }
  EXPECT_EQ(table.counts().size(), kMaxExitReasonsOfGroup);
  table.Count(8, ExitBy({.killed = false, .number = 200}));
  table.Count(7, ExitBy({.killed = true, .number = 11}));
  EXPECT_EQ(table.counts().size(), kMaxExitReasonsOfGroup + 2);
  table.EraseGroups([](std::size_t group) { return group == 7; });
  table.Count(7, ExitBy({.killed = false, .number = 200}));
  EXPECT_EQ(CountsOf(table), (std::map<Key, std::uint64_t>{{{8, false, 200}, 1}, {{7, false, 200}, 1}}))
      << "the share of an erased group is free again";
}

TEST(ExitReasonTableTest, AllocatesNothingAfterConstruction) {
  ExitReasonTable table(100);
  const ExitReasonCount* const before = table.counts().data();
  for (std::uint16_t i = 0; i < 1000; ++i) {
    table.Count(i % 100, ExitBy({.killed = i % 2 == 0, .number = static_cast<std::uint8_t>(i / 100)}));
  }
  EXPECT_EQ(table.counts().data(), before);
  EXPECT_EQ(table.counts().size(), kExitReasonsPerGroup * 100);
}

TEST(ExitReasonTableTest, CountsMorePairsAfterGrowth) {
  ExitReasonTable table(1);
  const auto count_statuses = [&table] {
    for (std::uint8_t status = 1; status <= 9; ++status) {
      table.Count(0, ExitBy({.killed = false, .number = status}));
    }
  };
  count_statuses();
  table.Grow(2);
  EXPECT_EQ(CountsOf(table),
            (std::map<Key, std::uint64_t>{{{0, false, 1}, 1}, {{0, false, 2}, 1}, {{0, false, 3}, 1}}));
  count_statuses();
  table.Count(1, ExitBy({.killed = true, .number = 9}));
  EXPECT_EQ(CountsOf(table), (std::map<Key, std::uint64_t>{{{0, false, 1}, 2},
                                                           {{0, false, 2}, 2},
                                                           {{0, false, 3}, 2},
                                                           {{0, false, 4}, 1},
                                                           {{0, false, 5}, 1},
                                                           {{0, false, 6}, 1},
                                                           {{1, true, 9}, 1}}));
}

TEST(ExitReasonTableTest, ListGrowsWithTheTable) {
  const std::vector<ExitReasonCount> pairs(5, ExitReasonCount{.reason = {}, .count = 7});
  ExitReasonList list(2);
  list.Assign(std::span(pairs).first(2));
  list.Grow(5);
  EXPECT_EQ(list.pairs().size(), 2U);
  list.Assign(pairs);
  list.Grow(3);
  ASSERT_EQ(list.pairs().size(), 5U);
  EXPECT_EQ(list.pairs().back().count, 7U);
}

// The slow and obvious counterpart: counts the pairs in use whenever it needs to know.
class ReferenceTable {
 public:
  explicit ReferenceTable(std::size_t groups) : groups_(groups) {}

  void Count(const Key& key) {
    const auto [group, killed, number] = key;
    std::size_t of_kind = 0;
    std::size_t of_group = 0;
    for (const auto& [other, count] : counts) {
      of_kind += std::get<1>(other) == killed ? 1U : 0U;
      of_group += std::get<1>(other) == killed && std::get<0>(other) == group ? 1U : 0U;
    }
    if (counts.contains(key) || (of_kind < (killed ? 1U : 3U) * groups_ && of_group < 16)) {
      ++counts[key];
    }
  }
  void Grow(std::size_t groups) { groups_ = groups; }
  std::map<Key, std::uint64_t> counts;

 private:
  std::size_t groups_;
};

TEST(ExitReasonTableTest, AgreesWithTheReference) {
  std::size_t groups = 3;
  std::mt19937 random(7);
  ExitReasonTable table(groups);
  ReferenceTable reference(groups);
  for (int i = 0; i < 50'000; ++i) {
    if (random() % 2500 == 0) {
      groups += random() % 3;
      table.Grow(groups);
      reference.Grow(groups);
    }
    const Key key{random() % groups, random() % 4 == 0, 1 + random() % (random() % 2 == 0 ? 3 : 40)};
    const auto [group, killed, number] = key;
    table.Count(group, ExitBy({killed, number}, i));
    reference.Count(key);
    if (random() % 500 == 0) {
      const std::size_t first = random() % groups;
      const auto erased = [first](std::size_t id) { return id == first || id == first + 3; };
      table.EraseGroups(erased);
      std::erase_if(reference.counts, [&](const auto& entry) { return erased(std::get<0>(entry.first)); });
    }
    if (i % 64 == 0) {
      ASSERT_EQ(CountsOf(table), reference.counts) << i;
      ASSERT_EQ(table.counts().size(), reference.counts.size()) << i;
    }
  }
}

}  // namespace
}  // namespace procevent
