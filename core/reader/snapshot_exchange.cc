#include "core/reader/snapshot_exchange.h"

#include <algorithm>
#include <thread>

#include "core/base/system.h"

namespace procevent {

SnapshotExchange::SnapshotExchange(const Snapshot& blank)
    : request_signal_(EventFd::MakeOrThrow()), answer_signal_(EventFd::MakeOrThrow()), snapshots_{blank, blank} {}

SnapshotExchange::Freshness SnapshotExchange::CopySnapshot(Snapshot& out, std::chrono::milliseconds timeout) {
  return VisitSnapshot(MonotonicNanos(), timeout,
                       [&out](const Snapshot& snapshot, Freshness /*freshness*/) { out = snapshot; });
}

SnapshotExchange::Freshness SnapshotExchange::VisitSnapshot(std::uint64_t asked_ns, std::chrono::milliseconds timeout,
                                                            const SnapshotVisitor& visitor) {
  const std::uint64_t deadline_ns = asked_ns + static_cast<std::uint64_t>(std::chrono::nanoseconds(timeout).count());
  std::unique_lock lock(scrapers_);
  for (std::uint64_t now = MonotonicNanos(); complete().complete_until_ns < asked_ns && now < deadline_ns;
       now = MonotonicNanos()) {
    if (requesting_) {
      scraper_done_.wait_for(lock, std::chrono::nanoseconds(deadline_ns - now));
    } else {
      RequestAndWait(lock, asked_ns, deadline_ns);
    }
  }
  if (complete().complete_until_ns == 0) {
    return Freshness::kNone;
  }
  const Freshness freshness = complete().complete_until_ns >= asked_ns ? Freshness::kFresh : Freshness::kStale;
  visitor(complete(), freshness);
  return freshness;
}

bool SnapshotExchange::AwaitStatus(std::chrono::milliseconds timeout) const {
  constexpr std::chrono::milliseconds kPollInterval{1};
  const std::uint64_t asked_ns = MonotonicNanos();
  const std::uint64_t deadline_ns = asked_ns + static_cast<std::uint64_t>(std::chrono::nanoseconds(timeout).count());
  request_signal_.Signal();
  while (status().published_ns < asked_ns) {
    if (MonotonicNanos() >= deadline_ns) {
      return false;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

// Requests a snapshot also for scrapes that arrive meanwhile. The lock is open during the wait, so that each scrape
// keeps its own deadline.
void SnapshotExchange::RequestAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t asked_ns,
                                      std::uint64_t deadline_ns) {
  CollectAnswer();  // an answer that came after its scrape had given up
  if (complete().complete_until_ns >= asked_ns) {
    return;
  }
  asked_ns_.store(asked_ns, std::memory_order_relaxed);
  if (state_.TryRequest()) {
    request_signal_.Signal();
  }
  requesting_ = true;
  lock.unlock();
  const std::uint64_t now = MonotonicNanos();
  [[maybe_unused]] const bool answered =
      answer_signal_.WaitFor(std::chrono::nanoseconds(deadline_ns - std::min(deadline_ns, now)));
  lock.lock();
  requesting_ = false;
  if (!state_.CancelRequest()) {
    CollectAnswer();
  }
  scraper_done_.notify_all();
}

void SnapshotExchange::CollectAnswer() {
  if (state_.phase() == SnapshotExchangeState::Phase::kFilled) {
    complete_ = 1 - complete_;
    [[maybe_unused]] const bool collected = state_.AcceptAnswer();
  }
}

Snapshot* SnapshotExchange::BeginFill() { return state_.BeginFill() ? &snapshots_[1 - complete_] : nullptr; }

void SnapshotExchange::FinishFill() {
  state_.FinishFill();
  answer_signal_.Signal();
}

}  // namespace procevent
