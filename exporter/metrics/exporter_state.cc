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

std::string DescribeCause(const Snapshot& snapshot, SnapshotExchange::Freshness freshness) {
  if (freshness != SnapshotExchange::Freshness::kFresh) {
    return "the reader does not answer; give the exporter more CPU";
  }
  if (snapshot.subscribed) {
    return {};
  }
  return snapshot.subscription_error.operation.empty() ? "not subscribed yet; wait for the first attempt"
                                                       : Describe(snapshot.subscription_error);
}

// "0.01 %".
std::string FormatPercent(std::uint64_t part, std::uint64_t whole) {
  constexpr double kPercent = 100;
  std::array<char, 32> text{};
  const double share = whole == 0 ? 0 : kPercent * ToDouble(part) / ToDouble(whole);
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.3g %%", share));
  return text.data();
}

std::string DescribeLosses(const Snapshot& snapshot) {
  const LedgerSnapshot& ledger = snapshot.ledger;
  const std::uint64_t received =
      std::accumulate(ledger.events.begin(), ledger.events.end(), std::uint64_t{0}) - ledger.events_of(EventKind::kAck);
  std::string text = std::to_string(received) + " events received, ";
  if (snapshot.loss_exact) {
    const std::uint64_t lost = ledger.total_lost();
    text += std::to_string(lost) + " lost (" + FormatPercent(lost, received + lost) + ")";
  } else if (snapshot.replayed) {
    text += "number of lost events unknown";
  } else {
    text += "losses unknown, at least " + std::to_string(snapshot.socket_drops) + " (source.events is narrowed)";
  }
  if (snapshot.replayed) {
    return text;
  }
  return text + ", unsubscribed for " + std::to_string(snapshot.unsubscribed_ns / kNanosPerSecond) + " s";
}

}  // namespace

SubscriptionStatus MakeSubscriptionStatus(const Snapshot& snapshot, SnapshotExchange::Freshness freshness) {
  return {freshness == SnapshotExchange::Freshness::kFresh, snapshot.replayed, DescribeCause(snapshot, freshness),
          freshness == SnapshotExchange::Freshness::kNone ? std::string() : DescribeLosses(snapshot)};
}

SubscriptionStatus RequestSubscriptionStatus(SnapshotExchange& exchange, std::chrono::milliseconds timeout) {
  SubscriptionStatus status = MakeSubscriptionStatus(Snapshot(), SnapshotExchange::Freshness::kNone);
  exchange.VisitSnapshot(timeout, [&status](const Snapshot& snapshot, SnapshotExchange::Freshness freshness) {
    status = MakeSubscriptionStatus(snapshot, freshness);
  });
  return status;
}

}  // namespace procevent
