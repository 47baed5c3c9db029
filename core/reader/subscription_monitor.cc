#include "core/reader/subscription_monitor.h"

#include <algorithm>

namespace procevent {

SubscriptionMonitor::Action SubscriptionMonitor::ActionAt(std::uint64_t now_ns) const {
  if (now_ns < next_action_ns() || awaiting_canary_) {
    return Action::kNone;
  }
  const bool renewal_due = renewal_ns_ && now_ns >= *renewal_ns_;
  return subscribed_ && !renewal_due ? Action::kSendCanary : Action::kSubscribe;
}

void SubscriptionMonitor::OnSubscribed(std::uint64_t now_ns) {
  subscribed_ = true;
  renewal_ns_.reset();
  backoff_ns_ = kMinDelay;
  canary_delay_ns_ = std::min(kMinDelay, canary_interval_ns_);
  next_action_ns_ = now_ns + canary_delay_ns_;
}

void SubscriptionMonitor::OnSubscribeFailed(std::uint64_t now_ns) {
  reason_ = RestartReason::kNoAck;
  (renewal_ns_ ? *renewal_ns_ : next_action_ns_) = now_ns + backoff_ns_;
  backoff_ns_ = std::min(2 * backoff_ns_, kMaxBackoff);
}

void SubscriptionMonitor::OnCanarySent(std::uint64_t drops) {
  awaiting_canary_ = true;
  drops_at_canary_ = drops;
}

void SubscriptionMonitor::OnCanaryReceived(std::uint64_t now_ns) {
  if (awaiting_canary_) {
    awaiting_canary_ = false;
    canary_delay_ns_ = std::min(2 * canary_delay_ns_, canary_interval_ns_);
    next_action_ns_ = now_ns + canary_delay_ns_;
  }
}

bool SubscriptionMonitor::OnCanaryMissing(std::uint64_t drops, std::uint64_t now_ns) {
  awaiting_canary_ = false;
  next_action_ns_ = now_ns + kMinDelay;
  return drops == drops_at_canary_;
}

void SubscriptionMonitor::OnSubscriptionLost(RestartReason reason, std::uint64_t now_ns) {
  subscribed_ = false;
  awaiting_canary_ = false;
  renewal_ns_.reset();
  reason_ = reason;
  next_action_ns_ = now_ns;
}

void SubscriptionMonitor::RequestRenewal(std::uint64_t now_ns) {
  if (subscribed_ && !renewal_ns_) {
    reason_ = RestartReason::kUnseenForks;
    renewal_ns_ = now_ns;
  }
}

void SubscriptionMonitor::RequestCanary(std::uint64_t due_ns) {
  if (subscribed_ && !awaiting_canary_) {
    next_action_ns_ = std::min(next_action_ns_, due_ns);
  }
}

}  // namespace procevent
