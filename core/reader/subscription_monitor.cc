#include "core/reader/subscription_monitor.h"

#include <algorithm>

namespace procevent {

SubscriptionMonitor::Action SubscriptionMonitor::ActionAt(std::uint64_t now_ns) const {
  if (now_ns < next_ns_ || waiting_) {
    return Action::kNone;
  }
  return listening_ ? Action::kSendCanary : Action::kSubscribe;
}

void SubscriptionMonitor::OnSubscribed(std::uint64_t now_ns) {
  listening_ = true;
  backoff_ns_ = kShortest;
  canary_delay_ns_ = std::min(kShortest, canary_interval_ns_);
  next_ns_ = now_ns + canary_delay_ns_;
}

void SubscriptionMonitor::OnSubscribeFailed(std::uint64_t now_ns) {
  reason_ = RestartReason::kNoAck;
  next_ns_ = now_ns + backoff_ns_;
  backoff_ns_ = std::min(2 * backoff_ns_, kLongestBackoff);
}

void SubscriptionMonitor::OnCanarySent(std::uint64_t drops) {
  waiting_ = true;
  drops_at_sound_ = drops;
}

void SubscriptionMonitor::OnCanaryReceived(std::uint64_t now_ns) {
  if (waiting_) {
    waiting_ = false;
    canary_delay_ns_ = std::min(2 * canary_delay_ns_, canary_interval_ns_);
    next_ns_ = now_ns + canary_delay_ns_;
  }
}

bool SubscriptionMonitor::OnCanaryMissing(std::uint64_t drops, std::uint64_t now_ns) {
  waiting_ = false;
  next_ns_ = now_ns + kShortest;
  return drops == drops_at_sound_;
}

void SubscriptionMonitor::OnSubscriptionLost(RestartReason reason, std::uint64_t now_ns) {
  listening_ = false;
  waiting_ = false;
  reason_ = reason;
  next_ns_ = now_ns;
}

void SubscriptionMonitor::RequestCanary(std::uint64_t now_ns) {
  if (listening_ && !waiting_) {
    next_ns_ = std::min(next_ns_, now_ns);
  }
}

}  // namespace procevent
