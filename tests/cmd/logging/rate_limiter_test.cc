#include "cmd/logging/rate_limiter.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>

namespace procevent {
namespace {

TEST(RateLimitTest, AdmitsSoManyAndCountsTheRest) {
  RateLimiter<1> limit(2, 100);
  EXPECT_TRUE(limit.Admit(0, 10));
  EXPECT_TRUE(limit.Admit(0, 20));
  EXPECT_EQ(limit.NextDue(), std::nullopt);
  EXPECT_FALSE(limit.Admit(0, 30));
  EXPECT_FALSE(limit.Admit(0, 109));
  EXPECT_EQ(limit.NextDue(), 110U);
  EXPECT_EQ(limit.TakeSuppressedCount(0, 109), 0U);
  EXPECT_EQ(limit.TakeSuppressedCount(0, 110), 2U);
  EXPECT_EQ(limit.TakeSuppressedCount(0, 110), 0U);
  EXPECT_EQ(limit.NextDue(), std::nullopt);
}

TEST(RateLimitTest, StartsAnewAfterTheInterval) {
  RateLimiter<1> limit(1, 100);
  EXPECT_TRUE(limit.Admit(0, 0));
  EXPECT_FALSE(limit.Admit(0, 99));
  EXPECT_EQ(limit.TakeSuppressedCount(0, 100), 1U);
  EXPECT_TRUE(limit.Admit(0, 100));
  EXPECT_FALSE(limit.Admit(0, 199));
}

TEST(RateLimitTest, KeysDoNotKnowEachOther) {
  RateLimiter<2> limit(1, 100);
  EXPECT_TRUE(limit.Admit(0, 0));
  EXPECT_TRUE(limit.Admit(1, 50));
  EXPECT_FALSE(limit.Admit(1, 60));
  EXPECT_FALSE(limit.Admit(0, 70));
  EXPECT_EQ(limit.NextDue(), 100U);
  EXPECT_EQ(limit.TakeSuppressedCount(0, 120), 1U);
  EXPECT_EQ(limit.NextDue(), 150U);
}

TEST(RateLimitTest, LosesNoneWhenWhatIsDueIsTaken) {
  std::mt19937 random(1);
  RateLimiter<3> limit(2, 50);
  std::uint64_t told = 0;
  std::uint64_t now = 0;
  constexpr std::uint64_t kRounds = 20'000;
  const auto take = [&] {
    for (std::size_t key = 0; key < 3; ++key) {
      told += limit.TakeSuppressedCount(key, now);
    }
  };
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    now += random() % 8;
    take();
    told += limit.Admit(random() % 3, now) ? 1U : 0U;
  }
  now += 50;
  take();
  EXPECT_EQ(told, kRounds);
}

}  // namespace
}  // namespace procevent
