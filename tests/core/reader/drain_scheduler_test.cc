#include "core/reader/drain_scheduler.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kInterval = 10 * kMilli;
constexpr std::uint64_t kStart = 1000 * kMilli;

TEST(DrainSchedulerTest, IsIdleAtFirst) { EXPECT_TRUE(DrainScheduler(kInterval).idle()); }

TEST(DrainSchedulerTest, StaysIdleWithFewEvents) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    scheduler.RecordDrain(1, true, kStart + i * kInterval);
    EXPECT_TRUE(scheduler.idle()) << i;
  }
}

TEST(DrainSchedulerTest, StartsTheTimerAfterManyDatagramsAtOnce) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(5, true, kStart);
  EXPECT_FALSE(scheduler.idle());
  EXPECT_EQ(scheduler.next_drain_ns(), kStart + kInterval);
}

TEST(DrainSchedulerTest, StartsTheTimerAfterManySingleWakeUps) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 4; ++i) {
    scheduler.RecordDrain(1, true, kStart + i * kMilli);
    EXPECT_TRUE(scheduler.idle()) << i;
  }
  scheduler.RecordDrain(1, true, kStart + 4 * kMilli);
  EXPECT_FALSE(scheduler.idle());
}

TEST(DrainSchedulerTest, KeepsTheTimerWhileEventsFlow) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    scheduler.RecordDrain(300, true, kStart + i * kInterval);
    EXPECT_FALSE(scheduler.idle()) << i;
  }
}

TEST(DrainSchedulerTest, IsIdleAgainAfterTheLoad) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(300, true, kStart);
  scheduler.RecordDrain(2, true, kStart + kInterval);
  EXPECT_TRUE(scheduler.idle());
}

TEST(DrainSchedulerTest, DrainsAgainAtOnceIfTheQueueIsNotEmpty) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(0, false, kStart);
  EXPECT_FALSE(scheduler.idle());
  EXPECT_EQ(scheduler.next_drain_ns(), kStart);
}

}  // namespace
}  // namespace procevent
