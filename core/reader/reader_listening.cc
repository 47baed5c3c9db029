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
Status Renew(Source& source) {
  try {
    return source.Renew(kPatience);
  } catch (const std::bad_alloc&) {
    return Error{"open a fresh subscription", ENOMEM, "give the exporter more memory"};
  }
}

}  // namespace

void Reader::HearCanary(std::uint64_t now_ns) {
  if (watch_.waiting() && growth_at_sound_) {
    const std::uint64_t unseen = audit_.NoteAlive(*growth_at_sound_, Booked());
    if (unseen > 0) {
      notices_.Post({.kind = Notice::Kind::kUnseen, .number = unseen});
    }
  }
  watch_.Heard(now_ns);
}

void Reader::Judge() {
  if (watch_.waiting() && emptied_ && watch_.Unheard(source_->Queue().drops, MonotonicNanos())) {
    Distrust(RestartReason::kSilence, kFellSilent);
  }
}

void Reader::Tend() {
  const std::uint64_t now = MonotonicNanos();
  switch (watch_.DutyAt(now)) {
    case Watch::Duty::kRenew:
      Subscribe();
      return;
    case Watch::Duty::kSound:
      SoundCanary();
      return;
    case Watch::Duty::kNone:
      break;
  }
  if (emptied_ && tour_.Hides(queue_.drops) && now >= tour_.next_ns()) {
    tour_.Begin(queue_.drops, now);
  }
  if (tour_.under_way() && source_->Tour(now + kLongestTourStep)) {
    tour_.End();
  }
}

void Reader::Subscribe() {
  if (attempts_++ > 0) {
    ++restarts_[static_cast<std::size_t>(watch_.reason())];
  }
  const Status renewed = Renew(*source_);
  const std::uint64_t now = MonotonicNanos();
  if (!renewed) {
    if (renewed.error() != cause_) {
      cause_ = renewed.error();
      notices_.Post({.kind = Notice::Kind::kNotListening, .error = cause_});
    }
    watch_.RenewFailed(now);
    return;
  }
  watch_.Renewed(now);
  teller_.Open(cpus_, hearing_);
  CatchUp();
  emptied_ = false;
  for (int i = 0; i < kMostDrainsAtStart && !emptied_; ++i) {
    Drain();
  }
  if (!watch_.listening()) {
    return;  // it broke at once
  }
  if (const auto growth = ForkGrowth()) {
    audit_.CountUnseen(*growth, Booked());
  }
  tour_.Begin(queue_.drops, now);
  ReportListening(now);
}

// What happened while nobody listened. At the first time that is everything: who lives is still to be seen.
void Reader::CatchUp() {
  if (!ledger_.follows()) {
    return;
  }
  if (std::exchange(bootstrapped_, true)) {
    teller_.Tell(CapturedDoubt{});
    doubt_again_ = true;  // what the subscription before still holds is booked first
  } else {
    surveyor_.Bootstrap();
  }
}

void Reader::ReportListening(std::uint64_t now_ns) {
  cause_ = {};
  notices_.Post({.kind = Notice::Kind::kListening, .number = blind_.End(now_ns) / kNanosPerMilli});
  if (queue_.limit_bytes < queue_.wanted_bytes && buffer_told_ != queue_.limit_bytes) {
    buffer_told_ = queue_.limit_bytes;
    notices_.Post(
        {.kind = Notice::Kind::kSmallBuffer, .number = queue_.limit_bytes / 2, .wanted = queue_.wanted_bytes / 2});
  }
}

void Reader::SoundCanary() {
  growth_at_sound_ = ForkGrowth();
  watch_.Sounded(source_->Queue().drops);
  source_->Sound();
}

void Reader::Distrust(RestartReason reason, const Error& cause) {
  if (!watch_.listening()) {
    return;
  }
  cause_ = cause;
  blind_.Begin();
  watch_.Distrust(reason, MonotonicNanos());
  notices_.Post(
      {.kind = reason == RestartReason::kSilence ? Notice::Kind::kSilence : Notice::Kind::kFault, .error = cause});
}

}  // namespace procevent
