#include "exporter/metrics/exporter_state.h"

#include <array>
#include <cstdio>
#include <numeric>

#include "core/base/system.h"
#include "exporter/metrics/family.h"

namespace procevent {

std::string_view Version() { return PROCEVENT_VERSION; }

std::string_view Compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "gcc " __VERSION__;
#endif
}

namespace {

std::string CauseOf(const Snapshot& snapshot, SnapshotExchange::Freshness age) {
  if (age != SnapshotExchange::Freshness::kFresh) {
    return "the reader does not answer";
  }
  if (snapshot.subscribed) {
    return {};
  }
  return snapshot.subscription_error.operation.empty() ? "not listening yet" : Describe(snapshot.subscription_error);
}

// "0.01 %".
std::string Share(std::uint64_t part, std::uint64_t whole) {
  constexpr double kPercent = 100;
  std::array<char, 32> text{};
  const double share = whole == 0 ? 0 : kPercent * ToDouble(part) / ToDouble(whole);
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.3g %%", share));
  return text.data();
}

std::string Losses(const Snapshot& snapshot) {
  const LedgerSnapshot& numbers = snapshot.ledger;
  const std::uint64_t received = std::accumulate(numbers.events.begin(), numbers.events.end(), std::uint64_t{0}) -
                                 numbers.events_of(EventKind::kAck);
  std::string text = std::to_string(received) + " events were received, and ";
  if (snapshot.loss_exact) {
    const std::uint64_t lost = numbers.total_lost();
    text += std::to_string(lost) + " (" + Share(lost, received + lost) + ") were lost";
  } else if (snapshot.replayed) {
    text += "how many were lost is not known";
  } else {
    text += std::to_string(snapshot.socket_drops) + " or more were lost (a narrowed mask hides the rest)";
  }
  if (snapshot.replayed) {
    return text + '.';
  }
  return text + "; nobody listened for " + std::to_string(snapshot.unsubscribed_ns / kNanosPerSecond) + " s.";
}

}  // namespace

SubscriptionStatus StateOf(const Snapshot& snapshot, SnapshotExchange::Freshness age) {
  return {age == SnapshotExchange::Freshness::kFresh, snapshot.replayed, CauseOf(snapshot, age),
          age == SnapshotExchange::Freshness::kNone ? std::string() : Losses(snapshot)};
}

SubscriptionStatus RequestSubscriptionStatus(SnapshotExchange& exchange, std::chrono::milliseconds patience) {
  SubscriptionStatus heard = StateOf(Snapshot(), SnapshotExchange::Freshness::kNone);
  exchange.VisitSnapshot(patience, [&heard](const Snapshot& snapshot, SnapshotExchange::Freshness age) {
    heard = StateOf(snapshot, age);
  });
  return heard;
}

}  // namespace procevent
