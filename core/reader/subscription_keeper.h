// Keeps the reader subscribed: subscribes, proves the subscription with canaries, detects a lost one and resubscribes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/reader/fork_audit.h"
#include "core/reader/loss_tracker.h"
#include "core/reader/notice_queue.h"
#include "core/reader/reader_status.h"
#include "core/reader/snapshot_exchange.h"
#include "core/reader/subscription_monitor.h"
#include "core/sources/connector/event_source.h"

namespace procevent {

// Does what SubscriptionMonitor decides, and counts restarts and the time without a subscription. The reader owns it;
// everything it refers to must outlive it.
class SubscriptionKeeper {
 public:
  SubscriptionKeeper(EventSource& source, ForkAuditor& forks, LossTracker& losses, NoticeQueue& notices,
                     std::uint64_t canary_interval_ns, std::uint64_t now_ns)
      : source_(source),
        forks_(forks),
        losses_(losses),
        notices_(notices),
        monitor_(canary_interval_ns),
        unsubscribed_(now_ns) {}

  [[nodiscard]] SubscriptionMonitor::Action ActionAt(std::uint64_t now_ns) const { return monitor_.ActionAt(now_ns); }
  [[nodiscard]] std::uint64_t next_action_ns() const { return monitor_.next_action_ns(); }
  [[nodiscard]] bool subscribed() const { return monitor_.subscribed(); }
  [[nodiscard]] bool awaiting_canary() const { return monitor_.awaiting_canary(); }

  // Opens a new subscription, in place of one that is missing or due for a renewal. Returns the time after the kernel's
  // ACK, or nothing if it failed.
  std::optional<std::uint64_t> Subscribe();
  // The subscription made at `subscribed_ns` has survived its first drain, which left the queue empty or not: counts
  // and reports what was missed before.
  void ConfirmSubscribed(const QueueState& queue, bool queue_empty, std::uint64_t subscribed_ns);

  // The canary is due at once.
  void RequestCanary(std::uint64_t now_ns) { monitor_.RequestCanary(now_ns); }
  void SendCanary();
  // After each drain: a canary that is not in an emptied queue means a lost subscription.
  void CheckCanary(bool queue_empty);
  void OnSocketFailed(const StaticError& error) { OnSubscriptionLost(RestartReason::kSocketFailed, error); }

  // For each event received; on the reader's hot path.
  void OnEvent(const Event& event, std::uint64_t now_ns) {
    // An ACK proves nothing: any process can provoke one while no other events flow.
    if (event.kind() != EventKind::kAck) {
      unsubscribed_.RecordEventReceived(now_ns);
    }
    const auto* const comm = std::get_if<CommBody>(&event.body);
    if (comm != nullptr && source_.IsCanaryEvent(*comm)) {
      OnCanaryReceived(now_ns);
    }
  }

  [[nodiscard]] const std::array<std::uint64_t, kRestartReasons>& restarts() const { return restarts_; }
  void FillStatus(ReaderStatus& status, std::uint64_t now_ns) const;

 private:
  void OnCanaryReceived(std::uint64_t now_ns);
  void AuditForksAtCanary(std::uint64_t now_ns);
  void OnSubscriptionLost(RestartReason reason, const StaticError& error);

  EventSource& source_;
  ForkAuditor& forks_;
  LossTracker& losses_;
  NoticeQueue& notices_;
  SubscriptionMonitor monitor_;
  UnsubscribedTime unsubscribed_;
  bool attempted_ = false;  // a first time
  StaticError error_;       // why the last attempt to subscribe failed, or the subscription was lost
  bool audited_ = false;    // at a canary of the latest subscription
  std::array<std::uint64_t, kRestartReasons> restarts_{};
  std::uint32_t reported_limit_bytes_ = 0;             // of the last kSmallBuffer notice
  std::optional<std::uint64_t> forks_at_last_canary_;  // the kernel's count when the canary was sent
};

}  // namespace procevent
