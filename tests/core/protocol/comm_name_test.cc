#include "core/protocol/comm_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string name;
  std::string_view bytes;
  std::string_view kept;
};
class CommNameTableTest : public testing::TestWithParam<Row> {};
TEST_P(CommNameTableTest, Keeps) { EXPECT_EQ(CommName(GetParam().bytes).view(), GetParam().kept); }
INSTANTIATE_TEST_SUITE_P(Names, CommNameTableTest,
                         testing::Values(Row{"Empty", "", ""}, Row{"Plain", "bash", "bash"},
                                         Row{"Fifteen", "123456789abcdef", "123456789abcdef"},
                                         Row{"Sixteen", "123456789abcdefg", "123456789abcdef"},
                                         Row{"AWorkersLongName", "kworker/u16:3-events_unbound", "kworker/u16:3-e"},
                                         Row{"EndsAtNul", "ab\0cd"sv, "ab"}, Row{"OnlyNul", "\0ab"sv, ""},
                                         Row{"NulAfterFifteen", "123456789abcdef\0x"sv, "123456789abcdef"},
                                         Row{"AnyOtherByte", "\xFF\x01\n\x7F", "\xFF\x01\n\x7F"}),
                         [](const auto& row) { return row.param.name; });

std::array<char, kCommSize> FieldOf(std::string_view bytes) {
  std::array<char, kCommSize> field{};
  std::ranges::copy(bytes, field.begin());
  return field;
}

TEST(CommNameTest, WhatFollowsTheNulIsNoPartOfIt) {
  const CommName dirty(FieldOf("ab\0cdefghijklmn"sv));
  EXPECT_EQ(dirty, CommName("ab"));
  EXPECT_EQ(dirty.hash(), CommName("ab").hash());
}

TEST(CommNameTest, AFieldWithoutNulIsCut) {
  EXPECT_EQ(CommName(FieldOf("0123456789abcdef")).view(), "0123456789abcde");
}

TEST(CommNameTest, NamesDiffer) {
  EXPECT_NE(CommName("bash"), CommName("bas"));
  EXPECT_NE(CommName("bash"), CommName());
  EXPECT_EQ(CommName(), CommName(""));
}

// The comm table looks at the low bits.
TEST(CommNameTest, HashesScatter) {
  constexpr std::size_t kPlaces = 4096;
  const auto families = std::to_array<std::string_view>({"", "kworker/", "rename-", "aaaaaaaa", "worker-pool"});
  for (const std::string_view family : families) {
    std::set<std::uint64_t> hashes;
    std::vector<int> places(kPlaces);
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::uint64_t hash = CommName(std::string(family) + std::to_string(i)).hash();
      hashes.insert(hash);
      ++places[hash % kPlaces];
    }
    EXPECT_EQ(hashes.size(), kPlaces) << family;
    EXPECT_LT(std::ranges::max(places), 12) << family;
    EXPECT_LT(std::ranges::count(places, 0), kPlaces * 45 / 100) << family << ": 37 % if they fell at random";
  }
}

}  // namespace
}  // namespace procevent
