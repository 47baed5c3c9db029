#include "cmd/logging/rate_limiter.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>

namespace procevent {
namespace {

TEST(RateLimiterTest, AdmitsUpToTheLimitAndCountsTheRest) {
  RateLimiter<1> limiter(2, 100);
  EXPECT_TRUE(limiter.Admit(0, 10));
  EXPECT_TRUE(limiter.Admit(0, 20));
  EXPECT_EQ(limiter.NextDue(), std::nullopt);
  EXPECT_FALSE(limiter.Admit(0, 30));
  EXPECT_FALSE(limiter.Admit(0, 109));
  EXPECT_EQ(limiter.NextDue(), 110U);
  EXPECT_EQ(limiter.TakeSuppressedCount(0, 109), 0U);
  EXPECT_EQ(limiter.TakeSuppressedCount(0, 110), 2U);
  EXPECT_EQ(limiter.TakeSuppressedCount(0, 110), 0U);
  EXPECT_EQ(limiter.NextDue(), std::nullopt);
}

TEST(RateLimiterTest, AdmitsAgainAfterTheInterval) {
  RateLimiter<1> limiter(1, 100);
  EXPECT_TRUE(limiter.Admit(0, 0));
  EXPECT_FALSE(limiter.Admit(0, 99));
  EXPECT_EQ(limiter.TakeSuppressedCount(0, 100), 1U);
  EXPECT_TRUE(limiter.Admit(0, 100));
  EXPECT_FALSE(limiter.Admit(0, 199));
}

TEST(RateLimiterTest, LimitsKindsIndependently) {
  RateLimiter<2> limiter(1, 100);
  EXPECT_TRUE(limiter.Admit(0, 0));
  EXPECT_TRUE(limiter.Admit(1, 50));
  EXPECT_FALSE(limiter.Admit(1, 60));
  EXPECT_FALSE(limiter.Admit(0, 70));
  EXPECT_EQ(limiter.NextDue(), 100U);
  EXPECT_EQ(limiter.TakeSuppressedCount(0, 120), 1U);
  EXPECT_EQ(limiter.NextDue(), 150U);
}

TEST(RateLimiterTest, CountsEveryLineWhenDueCountsAreTaken) {
  std::mt19937 random(1);
  RateLimiter<3> limiter(2, 50);
  std::uint64_t counted = 0;
  std::uint64_t now = 0;
  constexpr std::uint64_t kRounds = 20'000;
  const auto take_due = [&] {
    for (std::size_t kind = 0; kind < 3; ++kind) {
      counted += limiter.TakeSuppressedCount(kind, now);
    }
  };
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    now += random() % 8;
    take_due();
    counted += limiter.Admit(random() % 3, now) ? 1U : 0U;
  }
  now += 50;
  take_due();
  EXPECT_EQ(counted, kRounds);
}

}  // namespace
}  // namespace procevent
