// FOLDED: blind_time.h, watch.h
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/reader/snapshot_exchange.h"

namespace procevent {

// How long nobody listened: from the last event that only a kernel that speaks to us can have made, to the next proof.
// Pure; the reader owns it.

class UnsubscribedTime {
 public:
  explicit UnsubscribedTime(std::uint64_t now_ns) : last_life_ns_(now_ns) { MarkUnsubscribed(); }

  void RecordEventReceived(std::uint64_t now_ns) { last_life_ns_ = now_ns; }
  // Blind since the last life.
  void MarkUnsubscribed() {
    blind_ = true;
    since_ns_ = last_life_ns_;
  }
  // Proved again; how long this time.
  std::uint64_t MarkSubscribed(std::uint64_t now_ns) {
    const std::uint64_t lasted = Current(now_ns);
    total_ns_ += lasted;
    blind_ = false;
    last_life_ns_ = now_ns;
    return lasted;
  }
  [[nodiscard]] std::uint64_t TotalNanos(std::uint64_t now_ns) const { return total_ns_ + Current(now_ns); }

 private:
  [[nodiscard]] std::uint64_t Current(std::uint64_t now_ns) const {
    return blind_ ? now_ns - std::min(now_ns, since_ns_) : 0;
  }

  bool blind_ = false;
  std::uint64_t since_ns_ = 0;
  std::uint64_t last_life_ns_;
  std::uint64_t total_ns_ = 0;
};

// The listener's watch: decides when to subscribe afresh, when to sound the canary, and what its silence means.
// Pure: told the time, told what happened; the reader owns it and does what it says.

class SubscriptionMonitor {
 public:
  explicit SubscriptionMonitor(std::uint64_t canary_interval_ns) : canary_interval_ns_(canary_interval_ns) {}

  enum class Action : std::uint8_t { kNone, kSubscribe, kSendCanary };
  [[nodiscard]] Action ActionAt(std::uint64_t now_ns) const;
  // When the next duty is due.
  [[nodiscard]] std::uint64_t next_ns() const { return next_ns_; }

  // The answers to kRenew.
  void OnSubscribed(std::uint64_t now_ns);
  void OnSubscribeFailed(std::uint64_t now_ns);
  // The answer to kSound; `drops` is the source's count just before.
  void OnCanarySent(std::uint64_t drops);

  void OnCanaryReceived(std::uint64_t now_ns);
  // The queue was emptied and the canary was not in it: true if that means silence. If the socket dropped anything
  // meanwhile, the canary may have been among it, and is sounded again.
  [[nodiscard]] bool OnCanaryMissing(std::uint64_t drops, std::uint64_t now_ns);

  // The subscription is not to be trusted any more.
  void OnSubscriptionLost(RestartReason reason, std::uint64_t now_ns);
  // A doubt came up: the canary is due now.
  void RequestCanary(std::uint64_t now_ns);

  [[nodiscard]] bool subscribed() const { return listening_; }
  [[nodiscard]] bool awaiting_canary() const { return waiting_; }  // for a canary that was sounded
  [[nodiscard]] RestartReason restart_reason() const { return reason_; }

 private:
  static constexpr std::uint64_t kShortest = 100'000'000;
  static constexpr std::uint64_t kLongestBackoff = 2'000'000'000;

  std::uint64_t canary_interval_ns_;
  bool listening_ = false;
  bool waiting_ = false;
  std::uint64_t drops_at_sound_ = 0;
  std::uint64_t next_ns_ = 0;
  std::uint64_t backoff_ns_ = kShortest;
  std::uint64_t canary_delay_ns_ = kShortest;  // short after a renewal, so that a relapse shows at once
  RestartReason reason_ = RestartReason::kNoAck;
};

}  // namespace procevent
