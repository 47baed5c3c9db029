#include "core/reader/subscription_monitor.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {

namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kSecond = 1000 * kMilli;
constexpr std::uint64_t kInterval = 5 * kSecond;
constexpr std::uint64_t kStart = 1000 * kSecond;
using Action = SubscriptionMonitor::Action;

SubscriptionMonitor Listening() {
  SubscriptionMonitor watch(kInterval);
  watch.OnSubscribed(kStart);
  return watch;
}

// Canaries that come back, until they are as far apart as they get; when the next is due.
std::uint64_t Settle(SubscriptionMonitor& watch) {
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t due = watch.next_ns();
    watch.OnCanarySent(0);
    watch.OnCanaryReceived(due);
  }
  return watch.next_ns();
}

TEST(SubscriptionMonitorTest, SubscribesFirst) {
  const SubscriptionMonitor watch(kInterval);
  EXPECT_FALSE(watch.subscribed());
  EXPECT_EQ(watch.ActionAt(kStart), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, AfterAFailureItWaitsLongerEachTimeUpToTwoSeconds) {
  SubscriptionMonitor watch(kInterval);
  std::uint64_t now = kStart;
  for (const std::uint64_t wait : {100U, 200U, 400U, 800U, 1600U, 2000U, 2000U}) {
    watch.OnSubscribeFailed(now);
    EXPECT_EQ(watch.ActionAt(now + wait * kMilli - 1), Action::kNone) << wait;
    now += wait * kMilli;
    EXPECT_EQ(watch.ActionAt(now), Action::kSubscribe) << wait;
  }
}

TEST(SubscriptionMonitorTest, ASuccessForgetsTheFailures) {
  SubscriptionMonitor watch(kInterval);
  for (int i = 0; i < 10; ++i) {
    watch.OnSubscribeFailed(kStart);
  }
  watch.OnSubscribed(kStart);
  watch.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  watch.OnSubscribeFailed(kStart);
  EXPECT_EQ(watch.ActionAt(kStart + 100 * kMilli), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, SoundsSoonAfterARenewalAndThenEverLessOften) {
  SubscriptionMonitor watch = Listening();
  EXPECT_EQ(watch.ActionAt(kStart + 100 * kMilli - 1), Action::kNone);
  EXPECT_EQ(watch.ActionAt(kStart + 100 * kMilli), Action::kSendCanary);
  const std::uint64_t before = Settle(watch);
  watch.OnCanarySent(0);
  watch.OnCanaryReceived(before);
  EXPECT_EQ(watch.next_ns(), before + kInterval);
}

TEST(SubscriptionMonitorTest, HasNoDutyWhileItWaitsForTheCanary) {
  SubscriptionMonitor watch = Listening();
  watch.OnCanarySent(0);
  EXPECT_TRUE(watch.awaiting_canary());
  EXPECT_EQ(watch.ActionAt(kStart + 100 * kSecond), Action::kNone);
}

TEST(SubscriptionMonitorTest, AnEmptiedQueueWithoutTheCanaryIsSilence) {
  SubscriptionMonitor watch = Listening();
  watch.OnCanarySent(3);
  EXPECT_TRUE(watch.OnCanaryMissing(3, kStart));
  watch.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  EXPECT_FALSE(watch.subscribed());
  EXPECT_EQ(watch.restart_reason(), RestartReason::kCanaryMissing);
  EXPECT_EQ(watch.ActionAt(kStart), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, ADroppedCanaryIsNoSilenceAndIsSoundedAgain) {
  SubscriptionMonitor watch = Listening();
  watch.OnCanarySent(3);
  EXPECT_FALSE(watch.OnCanaryMissing(4, kStart));
  EXPECT_TRUE(watch.subscribed());
  EXPECT_EQ(watch.ActionAt(kStart + 100 * kMilli), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, AnEchoThatNobodyWaitsForChangesNothing) {
  SubscriptionMonitor watch = Listening();
  const std::uint64_t next = watch.next_ns();
  watch.OnCanaryReceived(kStart + 50 * kMilli);
  EXPECT_EQ(watch.next_ns(), next);
}

TEST(SubscriptionMonitorTest, ADoubtBringsTheCanaryForward) {
  SubscriptionMonitor watch = Listening();
  const std::uint64_t next = Settle(watch);
  watch.RequestCanary(next - kInterval / 2);
  EXPECT_EQ(watch.ActionAt(next - kInterval / 2), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, ADoubtIsNoReasonToRetryEarlier) {
  SubscriptionMonitor watch(kInterval);
  watch.OnSubscribeFailed(kStart);
  watch.RequestCanary(kStart);
  EXPECT_EQ(watch.ActionAt(kStart), Action::kNone);
}

TEST(SubscriptionMonitorTest, ARelapseShowsWithinTheShortestInterval) {
  SubscriptionMonitor watch = Listening();
  const std::uint64_t late = Settle(watch);
  watch.OnCanarySent(0);
  ASSERT_TRUE(watch.OnCanaryMissing(0, late));
  watch.OnSubscriptionLost(RestartReason::kCanaryMissing, late);
  watch.OnSubscribed(late);
  EXPECT_EQ(watch.ActionAt(late + 100 * kMilli), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, AFailureAfterASilenceIsAMissingAck) {
  SubscriptionMonitor watch = Listening();
  watch.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  watch.OnSubscribeFailed(kStart);
  EXPECT_EQ(watch.restart_reason(), RestartReason::kNoAck);
}

}  // namespace

namespace {

TEST(UnsubscribedTimeTest, IsBlindFromTheStart) {
  UnsubscribedTime blind(100);
  EXPECT_EQ(blind.TotalNanos(150), 50U);
  EXPECT_EQ(blind.MarkSubscribed(160), 60U);
  EXPECT_EQ(blind.TotalNanos(1000), 60U);
}

TEST(UnsubscribedTimeTest, BlindnessBeganWithTheLastSignOfLife) {
  UnsubscribedTime blind(0);
  blind.MarkSubscribed(10);
  blind.RecordEventReceived(100);
  blind.MarkUnsubscribed();
  EXPECT_EQ(blind.TotalNanos(130), 10U + 30U);
  EXPECT_EQ(blind.MarkSubscribed(150), 50U);
  EXPECT_EQ(blind.TotalNanos(999), 60U);
}

TEST(UnsubscribedTimeTest, LifeDuringBlindnessDoesNotShortenIt) {
  UnsubscribedTime blind(0);
  blind.MarkSubscribed(0);
  blind.RecordEventReceived(100);
  blind.MarkUnsubscribed();
  blind.RecordEventReceived(120);
  EXPECT_EQ(blind.MarkSubscribed(150), 50U);
}

TEST(UnsubscribedTimeTest, ASecondBlindnessAdds) {
  UnsubscribedTime blind(0);
  blind.MarkSubscribed(5);
  blind.MarkUnsubscribed();
  EXPECT_EQ(blind.MarkSubscribed(8), 3U);
  EXPECT_EQ(blind.TotalNanos(8), 8U);
}

TEST(UnsubscribedTimeTest, AClockOfAMomentBeforeIsNoHugeTime) {
  const UnsubscribedTime blind(100);
  EXPECT_EQ(blind.TotalNanos(90), 0U);
}

}  // namespace

}  // namespace procevent
