#include "core/ledger/slab.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace procevent {
namespace {

struct Thing {
  int mark = 7;
};

TEST(SlabTest, IsTakenUpToItsCapacity) {
  Slab<Thing> slab(3);
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.end(), 0U) << "nothing is touched before it is needed";
  EXPECT_NE(slab.Take(), kNowhere);
  EXPECT_NE(slab.Take(), kNowhere);
  const SlabId last = slab.Take();
  EXPECT_EQ(slab.Take(), kNowhere);
  EXPECT_EQ(slab.size(), 3U);
  slab.Give(last);
  EXPECT_EQ(slab.size(), 2U);
  EXPECT_EQ(slab.Take(), last);
  EXPECT_EQ(slab.Take(), kNowhere);
  EXPECT_EQ(slab.end(), 3U);
}

TEST(SlabTest, WithoutCapacityThereIsNothing) {
  Slab<Thing> slab(0);
  EXPECT_EQ(slab.Take(), kNowhere);
  EXPECT_EQ(slab.capacity(), 0U);
}

TEST(SlabTest, WhatIsTakenAgainIsFresh) {
  Slab<Thing> slab(1);
  const SlabId id = slab.Take();
  slab[id].mark = 1;
  slab.Give(id);
  EXPECT_EQ(slab[slab.Take()].mark, 7);
}

TEST(SlabTest, ThingsKeepTheirPlace) {
  constexpr std::size_t kCapacity = 100;
  std::mt19937 random(9);
  Slab<Thing> slab(kCapacity);
  std::map<SlabId, std::pair<int, const Thing*>> taken;
  std::size_t most = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (const auto chosen = taken.lower_bound(static_cast<SlabId>(random() % kCapacity));
        chosen != taken.end() && (random() % 2 == 0 || i % 10'000 > 8'000)) {
      ASSERT_EQ(slab[chosen->first].mark, chosen->second.first);
      ASSERT_EQ(&slab[chosen->first], chosen->second.second);
      slab.Give(chosen->first);
      taken.erase(chosen);
    } else if (const SlabId id = slab.Take(); id != kNowhere) {
      ASSERT_EQ(slab[id].mark, 7);
      slab[id].mark = i;
      ASSERT_TRUE(taken.try_emplace(id, i, &slab[id]).second) << "it was taken already";
    } else {
      ASSERT_EQ(taken.size(), kCapacity);
    }
    most = std::max(most, taken.size());
    ASSERT_EQ(slab.size(), taken.size());
    ASSERT_EQ(slab.end(), most);
  }
  EXPECT_EQ(most, kCapacity);
}

}  // namespace
}  // namespace procevent
