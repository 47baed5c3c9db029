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

TEST(ListenerStateTest, OfAListenerThatHears) {
  const ListenerState state = StateOf(Filled(), Exchange::Age::kFresh);
  EXPECT_EQ(state.cause, "");
  EXPECT_EQ(state.losses, "1055 events were received, and 401 (27.5 %) were lost; nobody listened for 1 s.");
}

TEST(ListenerStateTest, OfOneThatDoesNot) {
  Snapshot snapshot = Filled();
  snapshot.listening = false;
  EXPECT_EQ(StateOf(snapshot, Exchange::Age::kFresh).cause, "not listening yet");
  snapshot.cause = {.operation = "subscribe", .code = 111, .remedy = "run with --network host"};
  EXPECT_EQ(StateOf(snapshot, Exchange::Age::kFresh).cause,
            "cannot subscribe: Connection refused; run with --network host");
}

TEST(ListenerStateTest, OfAReaderThatDoesNotAnswer) {
  const ListenerState stale = StateOf(Filled(), Exchange::Age::kStale);
  EXPECT_EQ(stale.cause, "the reader does not answer");
  EXPECT_FALSE(stale.losses.empty()) << "what it told last";
  EXPECT_EQ(StateOf(Snapshot(kCpus), Exchange::Age::kNone).losses, "");
}

TEST(ListenerStateTest, ANarrowedMaskKnowsOnlyTheSocketsDrops) {
  Snapshot snapshot = Filled();
  snapshot.loss_exact = false;
  EXPECT_EQ(StateOf(snapshot, Exchange::Age::kFresh).losses,
            "1055 events were received, and 502 or more were lost (a narrowed mask hides the rest); "
            "nobody listened for 1 s.");
}

}  // namespace
}  // namespace procevent
