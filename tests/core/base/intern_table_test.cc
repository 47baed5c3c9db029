#include "core/base/intern_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

// Its hash has few values, so that buckets hold several entries.
struct Text {
  std::string text;
  [[nodiscard]] std::uint64_t hash(std::uint64_t seed) const { return HashBytes(text, seed) % 7; }
  bool operator==(const Text&) const = default;
};
using Table = InternTable<Text>;

TEST(InternTableTest, GivesEqualValuesOneId) {
  Table table(4);
  const auto make = table.Intern({"make"});
  EXPECT_NE(table.Intern({"cc1"}), make);
  EXPECT_EQ(table.Intern({"make"}), make);
  EXPECT_EQ(table[make].references, 2U);
  EXPECT_EQ(table[make].value.text, "make");
}

TEST(InternTableTest, KeepsAnUnusedValueForItsReturn) {
  Table table(4);
  const auto make = table.Intern({"make"});
  const std::uint32_t serial = table[make].serial;
  table.Release(make);
  EXPECT_EQ(table.Intern({"make"}), make);
  EXPECT_EQ(table[make].serial, serial);
}

TEST(InternTableTest, ReplacesTheValueThatIsUnusedTheLongest) {
  Table table(1);
  const auto first = table.Intern({"first"});
  const auto second = table.Intern({"second"});
  table.Release(second);
  table.Release(first);
  const std::uint32_t serial = table[second].serial;
  EXPECT_EQ(table.Intern({"third"}), second);
  EXPECT_NE(table[second].serial, serial);
  EXPECT_EQ(table.Intern({"first"}), first);
  EXPECT_EQ(table.size(), 2U);
}

TEST(InternTableTest, NeverReplacesAValueInUse) {
  Table table(0);
  const auto used = table.Intern({"used"});
  for (int i = 0; i < 100; ++i) {
    table.Release(table.Intern({"name " + std::to_string(i)}));
  }
  EXPECT_EQ(table[used].value.text, "used");
  EXPECT_LE(table.size(), 3U);
}

// Values whose unkeyed hash is the same must not share a bucket.
TEST(InternTableTest, HashesWithASeedOfItsOwn) {
  const auto buckets = [](std::uint64_t seed) {
    std::vector<std::uint64_t> low;
    for (int i = 0; i < 64; ++i) {
      low.push_back(HashBytes("name " + std::to_string(i), seed) % 1024);
    }
    return low;
  };
  EXPECT_EQ(buckets(1), buckets(1));
  EXPECT_NE(buckets(1), buckets(2));
  EXPECT_NE(RandomSeed(), RandomSeed());
}

// The buckets are the low bits of the hash.
TEST(InternTableTest, HasAHashWithDistributedLowBits) {
  constexpr std::size_t kBuckets = 4096;
  const auto families = std::to_array<std::string_view>({"", "kworker/", "rename-", "aaaaaaaa", "worker-pool"});
  for (const std::string_view family : families) {
    std::set<std::uint64_t> hashes;
    std::vector<int> buckets(kBuckets);
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const std::uint64_t hash = HashBytes(std::string(family) + std::to_string(i), 0);
      hashes.insert(hash);
      ++buckets[hash % kBuckets];
    }
    EXPECT_EQ(hashes.size(), kBuckets) << family;
    EXPECT_LT(std::ranges::max(buckets), 12) << family;
    EXPECT_LT(std::ranges::count(buckets, 0), kBuckets * 45 / 100) << family << ": a uniform hash leaves 37 % empty";
  }
}

// Compares it with a map of the values in use.
TEST(InternTableTest, AgreesWithAMap) {
  constexpr std::size_t kMaxUnused = 10;
  std::mt19937 random(3);
  Table table(kMaxUnused);
  std::map<std::string, std::vector<Table::Id>> references;  // by value
  std::size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = std::to_string(random() % (random() % 10 == 0 ? 5000 : 50));
    std::vector<Table::Id>& held = references[text];
    if (held.empty() || random() % 2 == 0) {
      held.push_back(table.Intern({text}));
      ASSERT_EQ(held.back(), held.front());
    } else {
      table.Release(held.back());
      held.pop_back();
    }
    if (!held.empty()) {
      ASSERT_EQ(table[held.front()].value.text, text);
      ASSERT_EQ(table[held.front()].references, held.size());
    } else {
      references.erase(text);
    }
    most = std::max(most, references.size());
  }
  EXPECT_LE(table.size(), most + kMaxUnused + 1);
}

}  // namespace
}  // namespace procevent
