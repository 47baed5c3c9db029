// The reader's watch over its subscription: making it, doubting it, renewing it.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "core/base/system.h"
#include "core/reader/reader.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kPatience{250};  // for one subscription; then scrapes get their turn
constexpr std::uint64_t kLongestTourStep = 5 * kNanosPerMilli;
constexpr int kMostDrainsAtStart = 10;
constexpr Error kFellSilent{"hear process events", 0,
                            "the kernel fell silent: another program ended everybody's subscription; fresh ones are "
                            "tried until it answers"};

// A subscription is made of parts that allocate.
Status Renew(DatagramSource& source) {
  try {
    return source.Resubscribe(kPatience);
  } catch (const std::bad_alloc&) {
    return Error{"open a fresh subscription", ENOMEM, "give the exporter more memory"};
  }
}

}  // namespace

void Reader::HearCanary(std::uint64_t now_ns) {
  if (watch_.awaiting_canary() && growth_at_sound_) {
    const std::uint64_t unseen = audit_.CountUnseenForksAtCanary(*growth_at_sound_, ForkCounts());
    if (unseen > 0) {
      notices_.Post({.kind = Notice::Kind::kUnseenForks, .number = unseen});
    }
  }
  watch_.OnCanaryReceived(now_ns);
}

void Reader::Judge() {
  if (watch_.awaiting_canary() && emptied_ && watch_.OnCanaryMissing(source_->Queue().drops, MonotonicNanos())) {
    Distrust(RestartReason::kCanaryMissing, kFellSilent);
  }
}

void Reader::Tend() {
  const std::uint64_t now = MonotonicNanos();
  switch (watch_.ActionAt(now)) {
    case SubscriptionMonitor::Action::kSubscribe:
      Subscribe();
      return;
    case SubscriptionMonitor::Action::kSendCanary:
      SoundCanary();
      return;
    case SubscriptionMonitor::Action::kNone:
      break;
  }
  if (emptied_ && tour_.HasHiddenDrops(queue_.drops) && now >= tour_.next_ns()) {
    tour_.Start(queue_.drops, now);
  }
  if (tour_.in_progress() && source_->SendCanaryOnEachCpu(now + kLongestTourStep)) {
    tour_.Finish();
  }
}

void Reader::Subscribe() {
  if (attempts_++ > 0) {
    ++restarts_[static_cast<std::size_t>(watch_.restart_reason())];
  }
  const Status renewed = Renew(*source_);
  const std::uint64_t now = MonotonicNanos();
  if (!renewed) {
    if (renewed.error() != cause_) {
      cause_ = renewed.error();
      notices_.Post({.kind = Notice::Kind::kSubscribeFailed, .error = cause_});
    }
    watch_.OnSubscribeFailed(now);
    return;
  }
  watch_.OnSubscribed(now);
  teller_.BeginCapture(cpus_, hearing_);
  CatchUp();
  emptied_ = false;
  for (int i = 0; i < kMostDrainsAtStart && !emptied_; ++i) {
    Drain();
  }
  if (!watch_.subscribed()) {
    return;  // it broke at once
  }
  if (const auto growth = ForkGrowth()) {
    audit_.CountUnseenForks(*growth, ForkCounts());
  }
  tour_.Start(queue_.drops, now);
  ReportListening(now);
}

// What happened while nobody listened. At the first time that is everything: who lives is still to be seen.
void Reader::CatchUp() {
  if (!ledger_.tracks_processes()) {
    return;
  }
  if (std::exchange(bootstrapped_, true)) {
    teller_.ApplyAndRecord(CapturedInvalidation{});
    doubt_again_ = true;  // what the subscription before still holds is booked first
  } else {
    surveyor_.ScanAllProcesses();
  }
}

void Reader::ReportListening(std::uint64_t now_ns) {
  cause_ = {};
  notices_.Post({.kind = Notice::Kind::kSubscribed, .number = blind_.MarkSubscribed(now_ns) / kNanosPerMilli});
  if (queue_.limit_bytes < queue_.requested_bytes && buffer_told_ != queue_.limit_bytes) {
    buffer_told_ = queue_.limit_bytes;
    notices_.Post(
        {.kind = Notice::Kind::kSmallBuffer, .number = queue_.limit_bytes / 2, .wanted = queue_.requested_bytes / 2});
  }
}

void Reader::SoundCanary() {
  growth_at_sound_ = ForkGrowth();
  watch_.OnCanarySent(source_->Queue().drops);
  source_->SendCanary();
}

void Reader::Distrust(RestartReason reason, const Error& cause) {
  if (!watch_.subscribed()) {
    return;
  }
  cause_ = cause;
  blind_.MarkUnsubscribed();
  watch_.OnSubscriptionLost(reason, MonotonicNanos());
  notices_.Post(
      {.kind = reason == RestartReason::kCanaryMissing ? Notice::Kind::kCanaryMissing : Notice::Kind::kSocketFailed,
       .error = cause});
}

}  // namespace procevent
