#include "exporter/metrics/exporter_state.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {
namespace {

constexpr unsigned kCpus = 2;

Snapshot Filled() {
  Snapshot snapshot(kCpus);
  Fill(snapshot);
  return snapshot;
}

TEST(SubscriptionStatusTest, OfAListenerThatHears) {
  const SubscriptionStatus state = StateOf(Filled(), SnapshotExchange::Freshness::kFresh);
  EXPECT_EQ(state.cause, "");
  EXPECT_EQ(state.losses, "1055 events were received, and 401 (27.5 %) were lost; nobody listened for 1 s.");
}

TEST(SubscriptionStatusTest, OfOneThatDoesNot) {
  Snapshot snapshot = Filled();
  snapshot.subscribed = false;
  EXPECT_EQ(StateOf(snapshot, SnapshotExchange::Freshness::kFresh).cause, "not listening yet");
  snapshot.subscription_error = {.operation = "subscribe", .code = 111, .remedy = "run with --network host"};
  EXPECT_EQ(StateOf(snapshot, SnapshotExchange::Freshness::kFresh).cause,
            "cannot subscribe: Connection refused; run with --network host");
}

TEST(SubscriptionStatusTest, OfAReaderThatDoesNotAnswer) {
  const SubscriptionStatus stale = StateOf(Filled(), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(stale.cause, "the reader does not answer");
  EXPECT_FALSE(stale.losses.empty()) << "what it told last";
  EXPECT_EQ(StateOf(Snapshot(kCpus), SnapshotExchange::Freshness::kNone).losses, "");
}

TEST(SubscriptionStatusTest, ANarrowedMaskKnowsOnlyTheSocketsDrops) {
  Snapshot snapshot = Filled();
  snapshot.loss_exact = false;
  EXPECT_EQ(StateOf(snapshot, SnapshotExchange::Freshness::kFresh).losses,
            "1055 events were received, and 502 or more were lost (a narrowed mask hides the rest); "
            "nobody listened for 1 s.");
}

}  // namespace
}  // namespace procevent
