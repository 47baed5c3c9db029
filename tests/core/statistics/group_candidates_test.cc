#include "core/statistics/group_candidates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace procevent {
namespace {

using testing::ElementsAre;

constexpr std::size_t kMax = GroupCandidates::kMaxCandidates;

// Candidates whose groups are numbers.
class GroupCandidatesTest : public testing::Test {
 protected:
  GroupId IdOf(std::uint64_t number) {
    const GroupId id = keys_.Intern({{LabelValue(std::to_string(number))}});
    keys_.Release(id);
    return id;
  }
  void Count(std::uint64_t number, std::uint64_t activities = 1) {
    candidates_.Count(IdOf(number), activities, now_ns_);
  }
  std::vector<std::pair<std::string, std::uint64_t>> Candidates() const {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (const GroupCandidate& candidate : candidates_.candidates()) {
      all.emplace_back(keys_[candidate.group].value.labels[0].view(), candidate.activities);
    }
    return all;
  }
  std::map<std::string, std::uint64_t> CountsByName() const {
    const auto all = Candidates();
    return {all.begin(), all.end()};
  }

  GroupKeyTable keys_{16};
  GroupCandidates candidates_{keys_};
  std::uint64_t now_ns_ = 0;
};

TEST_F(GroupCandidatesTest, CountsExactlyWhileThereIsRoom) {
  EXPECT_EQ(candidates_.ActivitiesOf(IdOf(7)), 0U);
  Count(7, 2);
  Count(8, 3);
  Count(7, 4);
  EXPECT_THAT(Candidates(), ElementsAre(std::pair("7", 6), std::pair("8", 3)));
  EXPECT_EQ(candidates_.ActivitiesOf(IdOf(7)), 6U);
  EXPECT_EQ(candidates_.ActivitiesOf(IdOf(9)), 0U);
}

TEST_F(GroupCandidatesTest, TheBusiestIsOneThatActedWithinASecond) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  Count(7, 5);
  now_ns_ = kSecond - 1;
  Count(8, 3);
  Count(9, 3);
  EXPECT_TRUE(candidates_.IsBusiestOfTheActive(IdOf(7), now_ns_));
  EXPECT_FALSE(candidates_.IsBusiestOfTheActive(IdOf(8), now_ns_));
  EXPECT_TRUE(candidates_.IsBusiestOfTheActive(IdOf(8), kSecond));
  EXPECT_TRUE(candidates_.IsBusiestOfTheActive(IdOf(9), kSecond)) << "as busy as another one";
  EXPECT_FALSE(candidates_.IsBusiestOfTheActive(IdOf(10), kSecond));
}

TEST_F(GroupCandidatesTest, AnActivityOfAnotherGroupTakesOneFromEach) {
  for (std::uint64_t number = 0; number < kMax; ++number) {
    Count(number, number < 2 ? 5 : 3);
  }
  Count(1000, 2);
  EXPECT_EQ(candidates_.candidates().size(), kMax);
  EXPECT_FALSE(CountsByName().contains("1000"));
  Count(1001, 3);
  EXPECT_THAT(Candidates(), ElementsAre(std::pair("0", 2), std::pair("1", 2), std::pair("1001", 2)));
}

TEST_F(GroupCandidatesTest, HalvingRemovesThoseWithoutACount) {
  Count(1, 1);
  Count(2, 5);
  Count(3, 8);
  candidates_.Halve(1);
  EXPECT_THAT(Candidates(), ElementsAre(std::pair("2", 2), std::pair("3", 4)));
  Count(1, 1);
  Count(3, 1);
  EXPECT_THAT(Candidates(), ElementsAre(std::pair("2", 2), std::pair("3", 5), std::pair("1", 1)));
  candidates_.Halve(64);
  EXPECT_THAT(Candidates(), ElementsAre());
}

TEST_F(GroupCandidatesTest, RemovesAGroupAndReturnsItsCount) {
  Count(1, 4);
  Count(2, 5);
  EXPECT_EQ(candidates_.Remove(IdOf(1)), 4U);
  EXPECT_EQ(candidates_.Remove(IdOf(1)), 0U);
  EXPECT_EQ(candidates_.Remove(IdOf(3)), 0U);
  Count(2);
  EXPECT_THAT(Candidates(), ElementsAre(std::pair("2", 6)));
}

// Also if its group was no candidate when it ended: the entry of a key without a reference is used again.
TEST_F(GroupCandidatesTest, HoldsAReferenceToEachCandidate) {
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    Count(number);
  }
  EXPECT_LE(keys_.size(), kMax + 16 + 2);
  std::uint64_t references = 0;
  for (GroupId id = 0; id < keys_.size(); ++id) {
    references += keys_[id].references;
  }
  EXPECT_EQ(references, candidates_.candidates().size());
}

TEST_F(GroupCandidatesTest, CountsAreLowerBoundsAndMissAtMostTheirShare) {
  std::mt19937_64 random(3);
  std::map<std::string, std::uint64_t> truth;
  std::uint64_t total = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t number = random() % 3 == 0 ? random() % 20 : random() % 5000;
    const std::uint64_t activities = 1 + random() % 3;
    Count(number, activities);
    truth[std::to_string(number)] += activities;
    total += activities;
    if (i % 1000 == 0) {
      auto counts = CountsByName();
      for (const auto& [name, count] : truth) {
        ASSERT_LE(counts[name], count);
        ASSERT_GE(counts[name] + total / (kMax + 1), count) << name;
      }
    }
  }
}

}  // namespace
}  // namespace procevent
