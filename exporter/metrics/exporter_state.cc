#include "exporter/metrics/exporter_state.h"

#include <array>
#include <cstdio>

#include "core/base/system.h"
#include "exporter/metrics/family.h"

namespace procevent {

std::string_view Description() { return PROCEVENT_DESCRIPTION; }

std::string_view Version() { return PROCEVENT_VERSION; }

std::string_view Revision() { return PROCEVENT_REVISION; }

std::string_view Compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "gcc " __VERSION__;
#endif
}

namespace {

constexpr std::string_view kReceive = "receive process events";
constexpr StaticError kNoAnswer{kReceive, "the reader does not answer", "give the exporter more CPU"};
constexpr StaticError kNotYet{kReceive, "not subscribed yet", "wait for the first attempt"};

Status CheckReceiving(const ReaderStatus& status, std::uint64_t now_ns) {
  if (status.published_ns == 0) {
    return Error(kNotYet);
  }
  if (!IsResponsive(status, now_ns)) {
    return Error(kNoAnswer);
  }
  if (status.subscribed) {
    return Success{};
  }
  return Error(status.subscription_error == StaticError{} ? kNotYet : status.subscription_error);
}

// "0.01 %".
std::string FormatPercent(std::uint64_t part, std::uint64_t whole) {
  constexpr double kPercent = 100;
  std::array<char, 32> text{};
  const double share = whole == 0 ? 0 : kPercent * ToDouble(part) / ToDouble(whole);
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.3g %%", share));
  return text.data();
}

std::string DescribeLosses(const ReaderStatus& status) {
  std::string text = std::to_string(status.received_events) + " events received, ";
  if (status.loss_exact) {
    text += std::to_string(status.lost_events) + " lost (" +
            FormatPercent(status.lost_events, status.received_events + status.lost_events) + ")";
  } else if (status.replayed) {
    text += "number of lost events unknown";
  } else {
    text += "losses unknown, at least " + std::to_string(status.socket_drops) + " (source.events is narrowed)";
  }
  if (status.replayed) {
    return text;
  }
  return text + ", unsubscribed for " + std::to_string(status.unsubscribed_ns / kNanosPerSecond) + " s";
}

}  // namespace

SubscriptionStatus DescribeStatus(const ReaderStatus& status, std::uint64_t now_ns) {
  const bool published = status.published_ns != 0;
  return {published && IsResponsive(status, now_ns), status.replayed, CheckReceiving(status, now_ns),
          published ? DescribeLosses(status) : std::string()};
}

SubscriptionStatus ReadSubscriptionStatus(const SnapshotExchange& exchange) {
  return DescribeStatus(exchange.status(), MonotonicNanos());
}

SubscriptionStatus RequestSubscriptionStatus(const SnapshotExchange& exchange, std::chrono::milliseconds timeout) {
  const bool answered = exchange.AwaitStatus(timeout);
  SubscriptionStatus status = ReadSubscriptionStatus(exchange);
  status.responsive = answered;
  if (!answered && status.receiving) {
    status.receiving = Error(kNoAnswer);
  }
  return status;
}

}  // namespace procevent
