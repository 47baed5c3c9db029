#include "core/ledger/exit_reason_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <tuple>

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

TEST(ExitReasonTableTest, CountsByGroupAndReason) {
  ExitReasonTable table(8);
  table.Count(7, {.killed = false, .number = 1}, 100);
  table.Count(7, {.killed = true, .number = 1}, 101);
  table.Count(8, {.killed = false, .number = 1}, 102);
  table.Count(7, {.killed = false, .number = 1}, 103);
  EXPECT_EQ(CountsOf(table), (std::map<Key, std::uint64_t>{{{7, false, 1}, 2}, {{7, true, 1}, 1}, {{8, false, 1}, 1}}));
  EXPECT_EQ(table.counts()[0].last_pid, 103) << "of the latest process";
}

TEST(ExitReasonTableTest, ExtremeKeysDiffer) {
  ExitReasonTable table(8);
  for (const unsigned group : {0U, 65'535U}) {
    for (const bool killed : {false, true}) {
      for (const unsigned number : {0U, 255U}) {
        table.Count(static_cast<std::uint16_t>(group), {killed, static_cast<std::uint8_t>(number)}, 1);
      }
    }
  }
  EXPECT_EQ(table.counts().size(), 8U);
}

TEST(ExitReasonTableTest, CountsKnownPairsOnlyWhenFull) {
  ExitReasonTable table(2);
  table.Count(1, {.killed = false, .number = 1}, 1);
  table.Count(1, {.killed = false, .number = 2}, 1);
  table.Count(1, {.killed = false, .number = 3}, 1);
  table.Count(1, {.killed = false, .number = 2}, 1);
  EXPECT_EQ(CountsOf(table), (std::map<Key, std::uint64_t>{{{1, false, 1}, 1}, {{1, false, 2}, 2}}));
}

TEST(ExitReasonTableTest, AllocatesNothingAfterConstruction) {
  ExitReasonTable table(100);
  const ExitReasonCount* const before = table.counts().data();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    table.Count(static_cast<std::uint16_t>(i), {.killed = false, .number = 1}, 1);
  }
  EXPECT_EQ(table.counts().data(), before);
  EXPECT_EQ(table.counts().size(), 100U);
}

TEST(ExitReasonTableTest, AgreesWithAMap) {
  constexpr std::size_t kMaxPairs = 60;
  std::mt19937 random(7);
  ExitReasonTable table(kMaxPairs);
  std::map<Key, std::uint64_t> reference;
  for (int i = 0; i < 100'000; ++i) {
    const Key key{random() % 12, random() % 2 == 0, random() % 20};
    const auto [group, killed, number] = key;
    table.Count(group, {killed, number}, i);
    if (reference.contains(key) || reference.size() < kMaxPairs) {
      ++reference[key];
    }
    if (random() % 500 == 0) {
      const auto first = static_cast<std::uint16_t>(random() % 12);
      const auto erased = [first](std::size_t id) { return id == first || id == first + 3U; };
      table.EraseGroups(erased);
      std::erase_if(reference, [&](const auto& entry) { return erased(std::get<0>(entry.first)); });
    }
    if (i % 64 == 0) {
      ASSERT_EQ(CountsOf(table), reference) << i;
      ASSERT_EQ(table.counts().size(), reference.size()) << i;
    }
  }
}

}  // namespace
}  // namespace procevent
