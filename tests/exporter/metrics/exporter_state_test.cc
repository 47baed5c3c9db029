#include "exporter/metrics/exporter_state.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {
namespace {

constexpr unsigned kCpus = 2;

Snapshot FilledSnapshot() {
  Snapshot snapshot(kCpus);
  Fill(snapshot);
  return snapshot;
}

TEST(SubscriptionStatusTest, HasNoCauseWhileSubscribed) {
  const SubscriptionStatus state = MakeSubscriptionStatus(FilledSnapshot(), SnapshotExchange::Freshness::kFresh);
  EXPECT_EQ(state.cause, "");
  EXPECT_EQ(state.losses, "1055 events received, 401 lost (27.5 %), unsubscribed for 1 s");
}

TEST(SubscriptionStatusTest, NamesTheSubscriptionError) {
  Snapshot snapshot = FilledSnapshot();
  snapshot.subscribed = false;
  EXPECT_EQ(MakeSubscriptionStatus(snapshot, SnapshotExchange::Freshness::kFresh).cause,
            "not subscribed yet; wait for the first attempt");
  snapshot.subscription_error = {.operation = "subscribe", .code = 111, .remedy = "run with --network host"};
  EXPECT_EQ(MakeSubscriptionStatus(snapshot, SnapshotExchange::Freshness::kFresh).cause,
            "cannot subscribe: Connection refused; run with --network host");
}

TEST(SubscriptionStatusTest, KeepsLossesOfAStaleSnapshot) {
  const SubscriptionStatus stale = MakeSubscriptionStatus(FilledSnapshot(), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(stale.cause, "the reader does not answer; give the exporter more CPU");
  EXPECT_FALSE(stale.losses.empty()) << "the last values are kept";
  EXPECT_EQ(MakeSubscriptionStatus(Snapshot(kCpus), SnapshotExchange::Freshness::kNone).losses, "");
}

TEST(SubscriptionStatusTest, GivesLowerBoundOfLossesWithANarrowedMask) {
  Snapshot snapshot = FilledSnapshot();
  snapshot.loss_exact = false;
  EXPECT_EQ(MakeSubscriptionStatus(snapshot, SnapshotExchange::Freshness::kFresh).losses,
            "1055 events received, losses unknown, at least 502 (source.events is narrowed), unsubscribed for 1 s");
}

}  // namespace
}  // namespace procevent
