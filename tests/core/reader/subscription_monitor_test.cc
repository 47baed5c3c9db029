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

SubscriptionMonitor MakeSubscribed() {
  SubscriptionMonitor monitor(kInterval);
  monitor.OnSubscribed(kStart);
  return monitor;
}

// Lets canaries return until their interval is the longest. Returns when the next is due.
std::uint64_t Settle(SubscriptionMonitor& monitor) {
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t due = monitor.next_action_ns();
    monitor.OnCanarySent(0);
    monitor.OnCanaryReceived(due);
  }
  return monitor.next_action_ns();
}

TEST(SubscriptionMonitorTest, SubscribesFirst) {
  const SubscriptionMonitor monitor(kInterval);
  EXPECT_FALSE(monitor.subscribed());
  EXPECT_EQ(monitor.ActionAt(kStart), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, BacksOffAfterFailuresUpToTwoSeconds) {
  SubscriptionMonitor monitor(kInterval);
  std::uint64_t now = kStart;
  for (const std::uint64_t wait : {100U, 200U, 400U, 800U, 1600U, 2000U, 2000U}) {
    monitor.OnSubscribeFailed(now);
    EXPECT_EQ(monitor.ActionAt(now + wait * kMilli - 1), Action::kNone) << wait;
    now += wait * kMilli;
    EXPECT_EQ(monitor.ActionAt(now), Action::kSubscribe) << wait;
  }
}

TEST(SubscriptionMonitorTest, ResetsTheBackoffAfterASuccess) {
  SubscriptionMonitor monitor(kInterval);
  for (int i = 0; i < 10; ++i) {
    monitor.OnSubscribeFailed(kStart);
  }
  monitor.OnSubscribed(kStart);
  monitor.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  monitor.OnSubscribeFailed(kStart);
  EXPECT_EQ(monitor.ActionAt(kStart + 100 * kMilli), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, SendsTheCanarySoonAfterSubscribingAndThenLessOften) {
  SubscriptionMonitor monitor = MakeSubscribed();
  EXPECT_EQ(monitor.ActionAt(kStart + 100 * kMilli - 1), Action::kNone);
  EXPECT_EQ(monitor.ActionAt(kStart + 100 * kMilli), Action::kSendCanary);
  const std::uint64_t before = Settle(monitor);
  monitor.OnCanarySent(0);
  monitor.OnCanaryReceived(before);
  EXPECT_EQ(monitor.next_action_ns(), before + kInterval);
}

TEST(SubscriptionMonitorTest, HasNoActionWhileAwaitingTheCanary) {
  SubscriptionMonitor monitor = MakeSubscribed();
  monitor.OnCanarySent(0);
  EXPECT_TRUE(monitor.awaiting_canary());
  EXPECT_EQ(monitor.ActionAt(kStart + 100 * kSecond), Action::kNone);
}

TEST(SubscriptionMonitorTest, TreatsAMissingCanaryAsALostSubscription) {
  SubscriptionMonitor monitor = MakeSubscribed();
  monitor.OnCanarySent(3);
  EXPECT_TRUE(monitor.OnCanaryMissing(3, kStart));
  monitor.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  EXPECT_FALSE(monitor.subscribed());
  EXPECT_EQ(monitor.restart_reason(), RestartReason::kCanaryMissing);
  EXPECT_EQ(monitor.ActionAt(kStart), Action::kSubscribe);
}

TEST(SubscriptionMonitorTest, SendsAnotherCanaryIfOneMayBeDropped) {
  SubscriptionMonitor monitor = MakeSubscribed();
  monitor.OnCanarySent(3);
  EXPECT_FALSE(monitor.OnCanaryMissing(4, kStart));
  EXPECT_TRUE(monitor.subscribed());
  EXPECT_EQ(monitor.ActionAt(kStart + 100 * kMilli), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, IgnoresACanaryThatItDoesNotAwait) {
  SubscriptionMonitor monitor = MakeSubscribed();
  const std::uint64_t next = monitor.next_action_ns();
  monitor.OnCanaryReceived(kStart + 50 * kMilli);
  EXPECT_EQ(monitor.next_action_ns(), next);
}

TEST(SubscriptionMonitorTest, SendsARequestedCanaryAtOnce) {
  SubscriptionMonitor monitor = MakeSubscribed();
  const std::uint64_t next = Settle(monitor);
  monitor.RequestCanary(next - kInterval / 2);
  EXPECT_EQ(monitor.ActionAt(next - kInterval / 2), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, DoesNotRetrySubscribingEarlierForARequestedCanary) {
  SubscriptionMonitor monitor(kInterval);
  monitor.OnSubscribeFailed(kStart);
  monitor.RequestCanary(kStart);
  EXPECT_EQ(monitor.ActionAt(kStart), Action::kNone);
}

TEST(SubscriptionMonitorTest, SendsTheCanarySoonAfterResubscribing) {
  SubscriptionMonitor monitor = MakeSubscribed();
  const std::uint64_t late = Settle(monitor);
  monitor.OnCanarySent(0);
  ASSERT_TRUE(monitor.OnCanaryMissing(0, late));
  monitor.OnSubscriptionLost(RestartReason::kCanaryMissing, late);
  monitor.OnSubscribed(late);
  EXPECT_EQ(monitor.ActionAt(late + 100 * kMilli), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, ReportsAMissingAckAfterAFailedResubscription) {
  SubscriptionMonitor monitor = MakeSubscribed();
  monitor.OnSubscriptionLost(RestartReason::kCanaryMissing, kStart);
  monitor.OnSubscribeFailed(kStart);
  EXPECT_EQ(monitor.restart_reason(), RestartReason::kNoAck);
}

TEST(SubscriptionMonitorTest, RenewsAtOnceAndStaysSubscribed) {
  SubscriptionMonitor monitor = MakeSubscribed();
  const std::uint64_t now = Settle(monitor) - kSecond;
  monitor.OnCanarySent(0);
  monitor.RequestRenewal(now);
  EXPECT_EQ(monitor.ActionAt(now), Action::kNone) << "the canary is processed first";
  monitor.OnCanaryReceived(now);
  EXPECT_EQ(monitor.next_action_ns(), now);
  EXPECT_EQ(monitor.ActionAt(now), Action::kSubscribe);
  EXPECT_EQ(monitor.restart_reason(), RestartReason::kUnseenForks);
  EXPECT_TRUE(monitor.subscribed());
  monitor.OnSubscribed(now);
  EXPECT_EQ(monitor.ActionAt(now), Action::kNone);
  EXPECT_EQ(monitor.ActionAt(now + 100 * kMilli), Action::kSendCanary);
}

TEST(SubscriptionMonitorTest, SendsCanariesWhileARenewalFails) {
  SubscriptionMonitor monitor = MakeSubscribed();
  std::uint64_t now = Settle(monitor) - kSecond;
  monitor.RequestRenewal(now);
  int canaries = 0;
  for (const std::uint64_t wait : {100U, 200U, 400U, 800U, 1600U, 2000U, 2000U}) {
    ASSERT_EQ(monitor.ActionAt(now), Action::kSubscribe) << wait;
    monitor.OnSubscribeFailed(now);
    EXPECT_TRUE(monitor.subscribed());
    for (const std::uint64_t retry = now + wait * kMilli; (now = monitor.next_action_ns()) < retry; ++canaries) {
      ASSERT_EQ(monitor.ActionAt(now), Action::kSendCanary);
      monitor.OnCanarySent(0);
      monitor.OnCanaryReceived(now);
    }
  }
  EXPECT_EQ(canaries, 2) << "every 5 s, in 7.1 s, from 1 s on";
}

TEST(SubscriptionMonitorTest, DropsARenewalIfTheSubscriptionIsLost) {
  SubscriptionMonitor monitor = MakeSubscribed();
  monitor.RequestRenewal(kStart);
  monitor.OnSubscriptionLost(RestartReason::kSocketFailed, kStart);
  monitor.OnSubscribed(kStart);
  EXPECT_EQ(monitor.ActionAt(kStart), Action::kNone);
}

TEST(SubscriptionMonitorTest, DoesNotRenewWithoutASubscription) {
  SubscriptionMonitor monitor(kInterval);
  monitor.OnSubscribeFailed(kStart);
  monitor.RequestRenewal(kStart);
  EXPECT_EQ(monitor.ActionAt(kStart), Action::kNone);
  EXPECT_EQ(monitor.restart_reason(), RestartReason::kNoAck);
}

TEST(UnsubscribedTimeTest, StartsUnsubscribed) {
  UnsubscribedTime unsubscribed(100);
  EXPECT_EQ(unsubscribed.TotalNanos(150), 50U);
  EXPECT_EQ(unsubscribed.MarkSubscribed(160), 60U);
  EXPECT_EQ(unsubscribed.TotalNanos(1000), 60U);
}

TEST(UnsubscribedTimeTest, StartsAtTheLastReceivedEvent) {
  UnsubscribedTime unsubscribed(0);
  unsubscribed.MarkSubscribed(10);
  unsubscribed.RecordEventReceived(100);
  unsubscribed.MarkUnsubscribed();
  EXPECT_EQ(unsubscribed.TotalNanos(130), 10U + 30U);
  EXPECT_EQ(unsubscribed.MarkSubscribed(150), 50U);
  EXPECT_EQ(unsubscribed.TotalNanos(999), 60U);
}

TEST(UnsubscribedTimeTest, IsNotShortenedByEventsWhileUnsubscribed) {
  UnsubscribedTime unsubscribed(0);
  unsubscribed.MarkSubscribed(0);
  unsubscribed.RecordEventReceived(100);
  unsubscribed.MarkUnsubscribed();
  unsubscribed.RecordEventReceived(120);
  EXPECT_EQ(unsubscribed.MarkSubscribed(150), 50U);
}

TEST(UnsubscribedTimeTest, AddsUpSeveralPeriods) {
  UnsubscribedTime unsubscribed(0);
  unsubscribed.MarkSubscribed(5);
  unsubscribed.MarkUnsubscribed();
  EXPECT_EQ(unsubscribed.MarkSubscribed(8), 3U);
  EXPECT_EQ(unsubscribed.TotalNanos(8), 8U);
}

TEST(UnsubscribedTimeTest, IsZeroForAnEarlierTime) {
  const UnsubscribedTime unsubscribed(100);
  EXPECT_EQ(unsubscribed.TotalNanos(90), 0U);
}

}  // namespace
}  // namespace procevent
