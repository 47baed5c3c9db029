#include "core/reader/subscription_keeper.h"

#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kSubscribeTimeout{250};  // for one attempt; then scrapes get a turn
constexpr StaticError kCanaryMissing{"receive process events",
                                     "the canary did not arrive, another process may have ended all subscriptions",
                                     "the exporter resubscribes until the kernel answers"};

// Opening a socket allocates.
Status Resubscribe(EventSource& source) {
  try {
    return source.Resubscribe(kSubscribeTimeout);
  } catch (const std::bad_alloc&) {
    return Error{"resubscribe to process events", ENOMEM, "raise the memory limit of the exporter"};
  }
}

}  // namespace

std::optional<std::uint64_t> SubscriptionKeeper::Subscribe() {
  if (attempted_) {
    ++restarts_[static_cast<std::size_t>(monitor_.restart_reason())];
  }
  attempted_ = true;
  const Status subscribed = Resubscribe(source_);
  const std::uint64_t now = MonotonicNanos();
  if (!subscribed) {
    if (const StaticError& error = subscribed.error(); error != error_) {
      error_ = error;
      notices_.Post({.kind = Notice::Kind::kSubscribeFailed, .error = error_});
    }
    monitor_.OnSubscribeFailed(now);
    return std::nullopt;
  }
  monitor_.OnSubscribed(now);
  audited_ = false;
  return now;
}

void SubscriptionKeeper::ConfirmSubscribed(const QueueState& queue, bool queue_empty, std::uint64_t subscribed_ns) {
  const auto kernel_forks = forks_.ReadKernelForks();
  // Without a gap, or with events still queued, a missing fork may only be late. The next canaries show it.
  if (kernel_forks && queue_empty && unsubscribed_.unsubscribed()) {
    forks_.CountUnseen(*kernel_forks);
  }
  error_ = {};
  notices_.Post(
      {.kind = Notice::Kind::kSubscribed, .count = unsubscribed_.MarkSubscribed(subscribed_ns) / kNanosPerMilli});
  if (queue.limit_bytes < queue.requested_bytes && reported_limit_bytes_ != queue.limit_bytes) {
    reported_limit_bytes_ = queue.limit_bytes;
    notices_.Post({.kind = Notice::Kind::kSmallBuffer,
                   .count = queue.limit_bytes / 2,
                   .buffer_bytes = queue.requested_bytes / 2});
  }
}

void SubscriptionKeeper::SendCanary() {
  forks_at_last_canary_ = forks_.ReadKernelForks();
  monitor_.OnCanarySent(source_.Queue().drops);
  source_.SendCanary();
}

void SubscriptionKeeper::OnCanaryReceived(std::uint64_t now_ns) {
  if (monitor_.awaiting_canary()) {
    AuditForksAtCanary(now_ns);
  }
  monitor_.OnCanaryReceived(now_ns);
  if (forks_.awaits_late_forks()) {
    monitor_.RequestCanary(now_ns + ForkAudit::kMaxForkDelay);
  }
}

// Unseen forks prove a gap of the subscription. Execs and exits went unseen in it, too, so the process table is stale
// before any later event is applied. One gap causes one renewal: forks that were missing already at the first canary of
// this subscription may have been made before it.
void SubscriptionKeeper::AuditForksAtCanary(std::uint64_t now_ns) {
  if (!forks_at_last_canary_ || losses_.probing() || losses_.any_hidden_drops()) {
    return;  // a hidden loss may account for missing forks
  }
  const std::uint64_t unseen = forks_.CountUnseenAtCanary(*forks_at_last_canary_, now_ns);
  const bool audited_before = std::exchange(audited_, true);
  if (unseen == 0) {
    return;
  }
  notices_.Post({.kind = Notice::Kind::kUnseenForks, .count = unseen});
  losses_.Invalidate(now_ns);
  if (audited_before) {
    monitor_.RequestRenewal(now_ns);
  }
}

void SubscriptionKeeper::CheckCanary(bool queue_empty) {
  if (monitor_.awaiting_canary() && queue_empty && monitor_.OnCanaryMissing(source_.Queue().drops, MonotonicNanos())) {
    OnSubscriptionLost(RestartReason::kCanaryMissing, kCanaryMissing);
  }
}

void SubscriptionKeeper::OnSubscriptionLost(RestartReason reason, const StaticError& error) {
  if (!monitor_.subscribed()) {
    return;
  }
  error_ = error;
  unsubscribed_.MarkUnsubscribed();
  monitor_.OnSubscriptionLost(reason, MonotonicNanos());
  notices_.Post(
      {.kind = reason == RestartReason::kCanaryMissing ? Notice::Kind::kCanaryMissing : Notice::Kind::kSocketFailed,
       .error = error});
}

void SubscriptionKeeper::FillStatus(ReaderStatus& status, std::uint64_t now_ns) const {
  status.subscribed = monitor_.subscribed();
  status.subscription_error = monitor_.subscribed() ? StaticError{} : error_;
  status.unsubscribed_ns = unsubscribed_.TotalNanos(now_ns);
}

}  // namespace procevent
