// Tests how the reader keeps its subscription, audits forks and ends after a failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "core/reader/reader.h"
#include "core/sources/connector/subscription_error.h"
#include "reader_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

TEST_F(ReaderTest, DoesNotTakeALateForkForAnUnseenOne) {
  Start();
  TakeSnapshotUntil([this](const Snapshot&) { return kernel_.canaries() >= 2; });
  proc_.SetForks(1);
  const int canaries = kernel_.canaries();
  const Snapshot waiting = TakeSnapshotUntil([&](const Snapshot&) { return kernel_.canaries() >= canaries + 3; });
  EXPECT_EQ(waiting.forks_unseen, 0U) << "it is late by less than a second";
  kernel_.SendEvent(kFork);
  const Snapshot snapshot = TakeSnapshotUntil([](const Snapshot& s) { return s.kernel_forks == 1U; });
  EXPECT_EQ(snapshot.forks_unseen, 0U);
  EXPECT_EQ(Restarts(snapshot, RestartReason::kUnseenForks), 0U);
}

TEST_F(ReaderTest, PublishesItsStatusWithoutASnapshot) {
  kernel_.RefuseSubscriptions(Error{"receive process events", "foreign PID namespace", "run with --pid host"});
  Start();
  EXPECT_GT(reader_->exchange().status().published_ns, 0U);
  EXPECT_FALSE(reader_->exchange().status().subscribed);
  EXPECT_EQ(reader_->exchange().status().subscription_error.remedy, "run with --pid host");
  kernel_.RefuseSubscriptions(std::nullopt);
  TakeSnapshotUntil([](const Snapshot& s) { return s.subscribed; });
  kernel_.Lose(7);
  kernel_.SendEvent(kFork);
  ASSERT_TRUE(reader_->exchange().AwaitStatus(60s));
  const ReaderStatus status = reader_->exchange().status();
  EXPECT_TRUE(status.subscribed);
  EXPECT_EQ(status.subscription_error, StaticError{});
  EXPECT_GT(status.received_events, 0U);
  EXPECT_TRUE(IsResponsive(status, MonotonicNanos()));
}

TEST_F(ReaderTest, CountsForksMissingWhileSubscribedAsUnseen) {
  Start();
  proc_.SetForks(5);
  const Snapshot snapshot = TakeSnapshotUntil([](const Snapshot& s) { return s.forks_unseen == 5; });
  EXPECT_TRUE(snapshot.subscribed);
  EXPECT_EQ(AwaitNotice(Notice::Kind::kUnseenForks)->count, 5U);
}

TEST_F(ReaderTest, RenewsTheSubscriptionOnceAfterUnseenForks) {
  Start();
  TakeSnapshotUntil([this](const Snapshot&) { return kernel_.canaries() >= 2; });
  proc_.SetForks(5);
  const Snapshot snapshot =
      TakeSnapshotUntil([](const Snapshot& s) { return Restarts(s, RestartReason::kUnseenForks) > 0; });
  EXPECT_TRUE(snapshot.subscribed);
  EXPECT_EQ(snapshot.forks_unseen, 5U);
  const int canaries = kernel_.canaries();
  const Snapshot later = TakeSnapshotUntil([&](const Snapshot&) { return kernel_.canaries() >= canaries + 4; });
  EXPECT_TRUE(later.subscribed);
  EXPECT_EQ(Restarts(later, RestartReason::kUnseenForks), 1U);
  EXPECT_EQ(later.unsubscribed_ns, snapshot.unsubscribed_ns);
  EXPECT_EQ(kernel_.subscribe_calls(), 2);
}

TEST_F(ReaderTest, StaysSubscribedIfARenewalFails) {
  Start();
  TakeSnapshotUntil([this](const Snapshot&) { return kernel_.canaries() >= 2; });
  kernel_.RefuseSubscriptions(Error{"open the connector socket", 24, "the test refuses"});
  proc_.SetForks(5);
  const Snapshot refused = TakeSnapshotUntil([](const Snapshot& s) { return Restarts(s, RestartReason::kNoAck) >= 2; });
  EXPECT_TRUE(refused.subscribed);
  EXPECT_EQ(refused.subscription_error, StaticError{});
  EXPECT_EQ(Restarts(refused, RestartReason::kUnseenForks), 1U);
  EXPECT_EQ(AwaitNotice(Notice::Kind::kSubscribeFailed)->error.cause.code, 24);
  kernel_.RefuseSubscriptions(std::nullopt);
  kernel_.SendEvent(kFork);
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kSubscribed).has_value());
}

TEST_F(ReaderTest, InvalidatesTheProcessTableAtTheCanaryAfterUnseenForks) {
  Start();
  kernel_.SendEvent(CommBody{{1, 1}, {'b', 'e', 'f', 'o', 'r', 'e'}});
  proc_.SetForks(1);
  kernel_.SendEvent(kFork);
  EXPECT_EQ(ForksBy(TakeSnapshot(), "before"), 1U);
  proc_.SetForks(1 + 5);
  TakeSnapshotUntil([](const Snapshot& s) { return s.forks_unseen == 5; });
  kernel_.SendEvent(kFork);
  EXPECT_EQ(ForksBy(TakeSnapshot(), "before"), 1U) << "process 1 may have executed another program unseen";
}

TEST_F(ReaderTest, DetectsALostSubscriptionByAScrape) {
  reader_ =
      std::make_unique<Reader>(MakeFakeSources(kernel_), ReaderOptions{.drain_interval = 1ms, .canary_interval = 3600s},
                               2, EventCoverage::kAll, CountingOptions{}, proc_.get());
  reader_->Start();
  TakeSnapshot();
  kernel_.SetDeliversCanaries(false);
  kernel_.RefuseSubscriptions(Error{"receive process events", "the test refuses"});
  proc_.SetForks(5);
  const Snapshot snapshot = TakeSnapshotUntil([](const Snapshot& s) { return s.forks_unseen == 5; });
  EXPECT_FALSE(snapshot.subscribed);
  EXPECT_EQ(snapshot.kernel_forks, 5U);
}

TEST_F(ReaderTest, IsNotSubscribedIfReceivingFailsAtOnce) {
  kernel_.FailReceiveAfterSubscribing(MakeReceiveError(5));
  Start();
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_FALSE(snapshot.subscribed);
  EXPECT_EQ(snapshot.subscription_error.cause.code, 5);
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kSocketFailed).has_value());
}

TEST_F(ReaderTest, ResubscribesAfterAMissingCanaryAndCountsIt) {
  Start();
  TakeSnapshot();
  kernel_.RefuseSubscriptions(Error{"receive process events", "the test refuses"});
  kernel_.SetDeliversCanaries(false);
  const Snapshot unsubscribed = TakeSnapshotUntil([](const Snapshot& s) { return !s.subscribed; });
  proc_.SetForks(33);
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kCanaryMissing).has_value());
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kSubscribeFailed).has_value());
  EXPECT_EQ(TakeSnapshotUntil([](const Snapshot& s) { return s.forks_unseen > 0; }).forks_unseen, 33U);
  kernel_.SetDeliversCanaries(true);
  kernel_.RefuseSubscriptions(std::nullopt);
  const Snapshot resubscribed = TakeSnapshotUntil([](const Snapshot& s) { return s.subscribed; });
  EXPECT_EQ(Restarts(resubscribed, RestartReason::kCanaryMissing), 1U);
  EXPECT_GE(Restarts(resubscribed, RestartReason::kNoAck), 1U);
  EXPECT_GT(resubscribed.unsubscribed_ns, unsubscribed.unsubscribed_ns);
  EXPECT_EQ(resubscribed.forks_unseen, 33U);
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kSubscribed).has_value());
}

TEST_F(ReaderTest, KeepsRunningAndReportsTheErrorIfItCannotSubscribe) {
  const StaticError refusal{"receive process events", "foreign PID namespace", "run with --pid host"};
  kernel_.RefuseSubscriptions(refusal);
  Start();
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_FALSE(snapshot.subscribed);
  EXPECT_EQ(snapshot.subscription_error, refusal);
  EXPECT_GT(snapshot.unsubscribed_ns, 0U);
  EXPECT_EQ(AwaitNotice(Notice::Kind::kSubscribeFailed)->error, refusal);
  kernel_.RefuseSubscriptions(std::nullopt);
  const Snapshot later = TakeSnapshotUntil([](const Snapshot& s) { return s.subscribed; });
  EXPECT_EQ(later.subscription_error, StaticError{});
  EXPECT_GE(Restarts(later, RestartReason::kNoAck), 1U);
}

TEST_F(ReaderTest, PostsTheSameSubscribeErrorOnce) {
  kernel_.RefuseSubscriptions(Error{"receive process events", "foreign PID namespace", "run with --pid host"});
  Start();
  TakeSnapshotUntil([this](const Snapshot&) { return kernel_.subscribe_calls() >= 3; });
  int posted = 0;
  Notice notice;
  while (reader_->notices().TryPop(notice)) {
    posted += notice.kind == Notice::Kind::kSubscribeFailed ? 1 : 0;
  }
  EXPECT_EQ(posted, 1);
}

TEST_F(ReaderTest, ResubscribesAfterASocketError) {
  Start();
  TakeSnapshot();
  kernel_.FailReceive(MakeReceiveError(5));
  const Snapshot snapshot = TakeSnapshotUntil(
      [](const Snapshot& s) { return s.subscribed && Restarts(s, RestartReason::kSocketFailed) == 1; });
  EXPECT_EQ(Restarts(snapshot, RestartReason::kCanaryMissing), 0U);
  EXPECT_EQ(AwaitNotice(Notice::Kind::kSocketFailed)->error.cause.code, 5);
}

TEST_F(ReaderTest, EndsWithANoticeIfMemoryIsExhausted) {
  Start();
  TakeSnapshot();
  kernel_.ThrowFromReceive(std::make_exception_ptr(std::bad_alloc()));
  const auto notice = AwaitNotice(Notice::Kind::kThreadFailed);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->error.cause.code, ENOMEM);
  EXPECT_FALSE(notice->error.remedy.empty());
  EXPECT_TRUE(reader_->notices().thread_failed());
  reader_->Stop();
  EXPECT_TRUE(kernel_.closed());
}

TEST_F(ReaderTest, StartReturnsIfTheFirstDrainThrows) {
  kernel_.ThrowFromReceive(std::make_exception_ptr(std::runtime_error("the test throws")));
  Start();
  EXPECT_EQ(AwaitNotice(Notice::Kind::kThreadFailed)->error.cause.code, 0);
}

TEST_F(ReaderTest, RunsWithoutTheAuditIfTheForkCountIsUnreadable) {
  reader_ = std::make_unique<Reader>(MakeFakeSources(kernel_), ReaderOptions{}, 2, EventCoverage::kAll,
                                     CountingOptions{}, ProcFs("/nonexistent"));
  reader_->Start();
  EXPECT_TRUE(AwaitNotice(Notice::Kind::kForkCountUnreadable).has_value());
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.kernel_forks, std::nullopt);
  EXPECT_TRUE(snapshot.subscribed);
}

}  // namespace
}  // namespace procevent
