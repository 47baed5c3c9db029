#include "core/reader/subscription_monitor.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {

namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kSecond = 1000 * kMilli;
constexpr std::uint64_t kInterval = 5 * kSecond;
constexpr std::uint64_t kStart = 1000 * kSecond;
using Duty = Watch::Duty;

Watch Listening() {
  Watch watch(kInterval);
  watch.Renewed(kStart);
  return watch;
}

// Canaries that come back, until they are as far apart as they get; when the next is due.
std::uint64_t Settle(Watch& watch) {
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t due = watch.next_ns();
    watch.Sounded(0);
    watch.Heard(due);
  }
  return watch.next_ns();
}

TEST(WatchTest, SubscribesFirst) {
  const Watch watch(kInterval);
  EXPECT_FALSE(watch.listening());
  EXPECT_EQ(watch.DutyAt(kStart), Duty::kRenew);
}

TEST(WatchTest, AfterAFailureItWaitsLongerEachTimeUpToTwoSeconds) {
  Watch watch(kInterval);
  std::uint64_t now = kStart;
  for (const std::uint64_t wait : {100U, 200U, 400U, 800U, 1600U, 2000U, 2000U}) {
    watch.RenewFailed(now);
    EXPECT_EQ(watch.DutyAt(now + wait * kMilli - 1), Duty::kNone) << wait;
    now += wait * kMilli;
    EXPECT_EQ(watch.DutyAt(now), Duty::kRenew) << wait;
  }
}

TEST(WatchTest, ASuccessForgetsTheFailures) {
  Watch watch(kInterval);
  for (int i = 0; i < 10; ++i) {
    watch.RenewFailed(kStart);
  }
  watch.Renewed(kStart);
  watch.Distrust(RestartReason::kSilence, kStart);
  watch.RenewFailed(kStart);
  EXPECT_EQ(watch.DutyAt(kStart + 100 * kMilli), Duty::kRenew);
}

TEST(WatchTest, SoundsSoonAfterARenewalAndThenEverLessOften) {
  Watch watch = Listening();
  EXPECT_EQ(watch.DutyAt(kStart + 100 * kMilli - 1), Duty::kNone);
  EXPECT_EQ(watch.DutyAt(kStart + 100 * kMilli), Duty::kSound);
  const std::uint64_t before = Settle(watch);
  watch.Sounded(0);
  watch.Heard(before);
  EXPECT_EQ(watch.next_ns(), before + kInterval);
}

TEST(WatchTest, HasNoDutyWhileItWaitsForTheCanary) {
  Watch watch = Listening();
  watch.Sounded(0);
  EXPECT_TRUE(watch.waiting());
  EXPECT_EQ(watch.DutyAt(kStart + 100 * kSecond), Duty::kNone);
}

TEST(WatchTest, AnEmptiedQueueWithoutTheCanaryIsSilence) {
  Watch watch = Listening();
  watch.Sounded(3);
  EXPECT_TRUE(watch.Unheard(3, kStart));
  watch.Distrust(RestartReason::kSilence, kStart);
  EXPECT_FALSE(watch.listening());
  EXPECT_EQ(watch.reason(), RestartReason::kSilence);
  EXPECT_EQ(watch.DutyAt(kStart), Duty::kRenew);
}

TEST(WatchTest, ADroppedCanaryIsNoSilenceAndIsSoundedAgain) {
  Watch watch = Listening();
  watch.Sounded(3);
  EXPECT_FALSE(watch.Unheard(4, kStart));
  EXPECT_TRUE(watch.listening());
  EXPECT_EQ(watch.DutyAt(kStart + 100 * kMilli), Duty::kSound);
}

TEST(WatchTest, AnEchoThatNobodyWaitsForChangesNothing) {
  Watch watch = Listening();
  const std::uint64_t next = watch.next_ns();
  watch.Heard(kStart + 50 * kMilli);
  EXPECT_EQ(watch.next_ns(), next);
}

TEST(WatchTest, ADoubtBringsTheCanaryForward) {
  Watch watch = Listening();
  const std::uint64_t next = Settle(watch);
  watch.Hurry(next - kInterval / 2);
  EXPECT_EQ(watch.DutyAt(next - kInterval / 2), Duty::kSound);
}

TEST(WatchTest, ADoubtIsNoReasonToRetryEarlier) {
  Watch watch(kInterval);
  watch.RenewFailed(kStart);
  watch.Hurry(kStart);
  EXPECT_EQ(watch.DutyAt(kStart), Duty::kNone);
}

TEST(WatchTest, ARelapseShowsWithinTheShortestInterval) {
  Watch watch = Listening();
  const std::uint64_t late = Settle(watch);
  watch.Sounded(0);
  ASSERT_TRUE(watch.Unheard(0, late));
  watch.Distrust(RestartReason::kSilence, late);
  watch.Renewed(late);
  EXPECT_EQ(watch.DutyAt(late + 100 * kMilli), Duty::kSound);
}

TEST(WatchTest, AFailureAfterASilenceIsAMissingAck) {
  Watch watch = Listening();
  watch.Distrust(RestartReason::kSilence, kStart);
  watch.RenewFailed(kStart);
  EXPECT_EQ(watch.reason(), RestartReason::kNoAck);
}

}  // namespace

namespace {

TEST(BlindTimeTest, IsBlindFromTheStart) {
  BlindTime blind(100);
  EXPECT_EQ(blind.Total(150), 50U);
  EXPECT_EQ(blind.End(160), 60U);
  EXPECT_EQ(blind.Total(1000), 60U);
}

TEST(BlindTimeTest, BlindnessBeganWithTheLastSignOfLife) {
  BlindTime blind(0);
  blind.End(10);
  blind.NoteLife(100);
  blind.Begin();
  EXPECT_EQ(blind.Total(130), 10U + 30U);
  EXPECT_EQ(blind.End(150), 50U);
  EXPECT_EQ(blind.Total(999), 60U);
}

TEST(BlindTimeTest, LifeDuringBlindnessDoesNotShortenIt) {
  BlindTime blind(0);
  blind.End(0);
  blind.NoteLife(100);
  blind.Begin();
  blind.NoteLife(120);
  EXPECT_EQ(blind.End(150), 50U);
}

TEST(BlindTimeTest, ASecondBlindnessAdds) {
  BlindTime blind(0);
  blind.End(5);
  blind.Begin();
  EXPECT_EQ(blind.End(8), 3U);
  EXPECT_EQ(blind.Total(8), 8U);
}

TEST(BlindTimeTest, AClockOfAMomentBeforeIsNoHugeTime) {
  const BlindTime blind(100);
  EXPECT_EQ(blind.Total(90), 0U);
}

}  // namespace

}  // namespace procevent
