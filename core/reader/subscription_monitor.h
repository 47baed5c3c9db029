// Decides when the reader must subscribe or prove its subscription, and measures the time without one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/system.h"

namespace procevent {

// Why the reader resubscribed.
enum class RestartReason : std::uint8_t {
  kNoAck,          // the kernel did not acknowledge the subscription
  kCanaryMissing,  // the kernel did not deliver the canary
  kSocketFailed,   // receiving failed
  kUnseenForks,    // forks went unseen in a gap of the subscription, which had ended when it was detected
};
inline constexpr std::size_t kRestartReasons = 4;
inline constexpr std::array<std::string_view, kRestartReasons> kRestartReasonNames{"no_ack", "silence", "fault",
                                                                                   "unseen_clones"};

// Measures the time without a subscription: from the last received event that proved one, to the next proof.
// Pure. SubscriptionKeeper owns it.
class UnsubscribedTime {
 public:
  explicit UnsubscribedTime(std::uint64_t now_ns) : last_event_ns_(now_ns) { MarkUnsubscribed(); }

  [[nodiscard]] bool unsubscribed() const { return unsubscribed_; }
  void RecordEventReceived(std::uint64_t now_ns) { last_event_ns_ = now_ns; }
  // There has been no subscription since the last event.
  void MarkUnsubscribed() {
    unsubscribed_ = true;
    since_ns_ = last_event_ns_;
  }
  // The subscription is proved. Returns how long there was none.
  std::uint64_t MarkSubscribed(std::uint64_t now_ns) {
    const std::uint64_t duration = CurrentNanos(now_ns);
    total_ns_ += duration;
    unsubscribed_ = false;
    last_event_ns_ = now_ns;
    return duration;
  }
  [[nodiscard]] std::uint64_t TotalNanos(std::uint64_t now_ns) const { return total_ns_ + CurrentNanos(now_ns); }

 private:
  [[nodiscard]] std::uint64_t CurrentNanos(std::uint64_t now_ns) const {
    return unsubscribed_ ? now_ns - std::min(now_ns, since_ns_) : 0;
  }

  bool unsubscribed_ = false;
  std::uint64_t since_ns_ = 0;
  std::uint64_t last_event_ns_;
  std::uint64_t total_ns_ = 0;
};

// Decides when to subscribe, when to send a canary, and whether a missing canary means a lost subscription.
// The canary is an event that the reader causes itself. The kernel reports no error when another program ends all
// subscriptions, so only a returning canary proves one.
// Pure: receives times and outcomes. SubscriptionKeeper owns it and takes the actions.
class SubscriptionMonitor {
 public:
  explicit SubscriptionMonitor(std::uint64_t canary_interval_ns) : canary_interval_ns_(canary_interval_ns) {}

  enum class Action : std::uint8_t { kNone, kSubscribe, kSendCanary };
  [[nodiscard]] Action ActionAt(std::uint64_t now_ns) const;
  // When the next action is due.
  [[nodiscard]] std::uint64_t next_action_ns() const {
    return renewal_ns_ ? std::min(*renewal_ns_, next_action_ns_) : next_action_ns_;
  }

  // Outcomes of kSubscribe. A failed renewal leaves the subscription as it is.
  void OnSubscribed(std::uint64_t now_ns);
  void OnSubscribeFailed(std::uint64_t now_ns);
  // After kSendCanary; `drops` is the source's count just before.
  void OnCanarySent(std::uint64_t drops);

  void OnCanaryReceived(std::uint64_t now_ns);
  // The queue was emptied and the canary was not in it. True if the subscription is lost. If the socket has dropped
  // datagrams meanwhile, the canary may be one of them, and another one is due.
  [[nodiscard]] bool OnCanaryMissing(std::uint64_t drops, std::uint64_t now_ns);

  void OnSubscriptionLost(RestartReason reason, std::uint64_t now_ns);
  // The subscription is proved, but had a gap. The listener that ended the gap may unsubscribe, so a renewal is due
  // now. Canaries continue until it succeeds.
  void RequestRenewal(std::uint64_t now_ns);
  // The next canary is due at that time at the latest, if there is a subscription.
  void RequestCanary(std::uint64_t due_ns);

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] bool awaiting_canary() const { return awaiting_canary_; }
  [[nodiscard]] RestartReason restart_reason() const { return reason_; }

 private:
  static constexpr std::uint64_t kMinDelay = 100 * kNanosPerMilli;
  static constexpr std::uint64_t kMaxBackoff = 2 * kNanosPerSecond;

  std::uint64_t canary_interval_ns_;
  bool subscribed_ = false;
  bool awaiting_canary_ = false;
  std::uint64_t drops_at_canary_ = 0;
  std::uint64_t next_action_ns_ = 0;         // to subscribe, or to send a canary
  std::optional<std::uint64_t> renewal_ns_;  // when the subscription is due for a renewal, if it is
  std::uint64_t backoff_ns_ = kMinDelay;
  std::uint64_t canary_delay_ns_ = kMinDelay;  // short after a subscription, so that an early loss shows soon
  RestartReason reason_ = RestartReason::kNoAck;
};

}  // namespace procevent
