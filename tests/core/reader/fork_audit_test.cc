#include "core/reader/fork_audit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace procevent {
namespace {

using ForkCounts = ForkAudit::ForkCounts;

TEST(ForkAuditTest, GrowthIsWhatTheKernelCountedSince) {
  ForkAudit audit;
  audit.KernelForksSinceStart(1000, {});
  EXPECT_EQ(audit.KernelForksSinceStart(1007, {.forks = 7}), 7U);
}

TEST(ForkAuditTest, WhatWasLostExplainsWhatIsMissing) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  EXPECT_EQ(audit.MissingForks(10, {.forks = 10}), 0U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7}), 3U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7, .lost = 2}), 1U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7, .lost = 20}), 0U);
}

TEST(ForkAuditTest, ForksOfABlindTimeAreUnseen) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForks(100, {.forks = 40});
  EXPECT_EQ(audit.unseen_forks(), 60U);
  EXPECT_EQ(audit.MissingForks(100, {.forks = 40}), 0U);
  audit.CountUnseenForks(110, {.forks = 40});  // still blind: ten more
  EXPECT_EQ(audit.unseen_forks(), 70U);
}

TEST(ForkAuditTest, OldLossesDoNotHideTheForksOfABlindTime) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(100, {.forks = 90, .lost = 1000});  // 10 of the lost were forks
  audit.CountUnseenForks(150, {.forks = 90, .lost = 1000});
  EXPECT_EQ(audit.unseen_forks(), 50U);
}

TEST(ForkAuditTest, AForkThatIsOnlyLateIsNotUnseen) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(10, {.forks = 9});
  EXPECT_EQ(audit.unseen_forks(), 0U);
  audit.CountUnseenForksAtCanary(20, {.forks = 20});
  EXPECT_EQ(audit.unseen_forks(), 0U);
  audit.CountUnseenForksAtCanary(30, {.forks = 29});
  EXPECT_EQ(audit.unseen_forks(), 0U);
}

TEST(ForkAuditTest, WhatStaysMissingWhileTheKernelSpeaksWasMadeInAShortSilence) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(100, {.forks = 95});
  audit.CountUnseenForksAtCanary(200, {.forks = 194});
  EXPECT_EQ(audit.unseen_forks(), 5U);
  audit.CountUnseenForksAtCanary(300, {.forks = 294});
  EXPECT_EQ(audit.unseen_forks(), 6U);
}

TEST(ForkAuditTest, MoreEventsThanForksMoveTheStart) {
  ForkAudit audit;
  audit.KernelForksSinceStart(1000, {});  // this one counted a fork whose event was still to come
  EXPECT_EQ(audit.KernelForksSinceStart(1010, {.forks = 11}), 11U);
  EXPECT_EQ(audit.KernelForksSinceStart(1020, {.forks = 20}), 21U);
}

// Against a made-up kernel whose forks are heard, lost or unseen: the inequality holds at every moment.
TEST(ForkAuditTest, TheInequalityHoldsAtEveryMoment) {
  std::mt19937 random(20261121);  // NOLINT(cert-msc51-cpp): the same every time
  for (int life = 0; life < 200; ++life) {
    ForkAudit audit;
    std::uint64_t kernel = random() % 1000;
    audit.KernelForksSinceStart(kernel, {});
    ForkCounts booked;
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t forks = random() % 20;
      kernel += forks;
      switch (random() % 4) {
        case 0:
          booked.forks += forks;
          audit.CountUnseenForksAtCanary(audit.KernelForksSinceStart(kernel, booked), booked);
          break;
        case 1:
          booked.lost += forks + random() % 20;  // with events of other kinds
          break;
        case 2:
          audit.CountUnseenForks(audit.KernelForksSinceStart(kernel, booked), booked);
          break;
        default:
          booked.forks += forks;
          break;
      }
      const std::uint64_t growth = audit.KernelForksSinceStart(kernel, booked);
      ASSERT_GE(growth, booked.forks);
      ASSERT_LE(growth - booked.forks, booked.lost + audit.unseen_forks());
    }
  }
}

}  // namespace
}  // namespace procevent
