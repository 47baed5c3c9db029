#include "core/reader/snapshot_exchange.h"

#include "core/base/system.h"

namespace procevent {

bool SnapshotExchangeState::Step(Phase from, Phase to) {
  return stage_.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
}

bool SnapshotExchangeState::TryRequest() { return Step(Phase::kIdle, Phase::kRequested); }
bool SnapshotExchangeState::CancelRequest() { return Step(Phase::kRequested, Phase::kIdle); }
bool SnapshotExchangeState::AcceptAnswer() { return Step(Phase::kFilled, Phase::kIdle); }
bool SnapshotExchangeState::IsRequested() const { return stage_.load(std::memory_order_relaxed) == Phase::kRequested; }
bool SnapshotExchangeState::BeginFill() { return Step(Phase::kRequested, Phase::kFilling); }
void SnapshotExchangeState::FinishFill() { stage_.store(Phase::kFilled, std::memory_order_release); }

SnapshotExchange::SnapshotExchange(const Snapshot& blank)
    : asked_(EventFd::MakeOrThrow()), answered_(EventFd::MakeOrThrow()), snapshots_{blank, blank} {}

SnapshotExchange::Freshness SnapshotExchange::CopySnapshot(Snapshot& out, std::chrono::milliseconds timeout) {
  return VisitSnapshot(timeout, [&out](const Snapshot& snapshot, Freshness /*age*/) { out = snapshot; });
}

SnapshotExchange::Freshness SnapshotExchange::VisitSnapshot(std::chrono::milliseconds timeout,
                                                            const SnapshotVisitor& look) {
  const std::uint64_t arrived = MonotonicNanos();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(scrapers_);
  while (whole().taken_ns <= arrived && std::chrono::steady_clock::now() < deadline) {
    if (asking_) {
      scraper_done_.wait_until(lock, deadline);
    } else {
      AskAndWait(lock, arrived, deadline);
    }
  }
  if (whole().taken_ns == 0) {
    return Freshness::kNone;
  }
  const Freshness age = whole().taken_ns > arrived ? Freshness::kFresh : Freshness::kStale;
  look(whole(), age);
  return age;
}

// Asks for the others too, who arrived meanwhile. The lock is open while this waits, so that each scraper keeps its
// own deadline.
void SnapshotExchange::AskAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t arrived,
                                  std::chrono::steady_clock::time_point deadline) {
  CollectAnswer();  // one that came after its scraper had gone
  if (whole().taken_ns > arrived) {
    return;
  }
  if (state_.TryRequest()) {
    asked_.Signal();
  }
  asking_ = true;
  lock.unlock();
  [[maybe_unused]] const bool answered = answered_.WaitFor(deadline - std::chrono::steady_clock::now());
  lock.lock();
  asking_ = false;
  if (!state_.CancelRequest()) {
    CollectAnswer();
  }
  scraper_done_.notify_all();
}

void SnapshotExchange::CollectAnswer() {
  if (state_.phase() == SnapshotExchangeState::Phase::kFilled) {
    whole_ = 1 - whole_;
    [[maybe_unused]] const bool collected = state_.AcceptAnswer();
  }
}

Snapshot* SnapshotExchange::BeginFill() { return state_.BeginFill() ? &snapshots_[1 - whole_] : nullptr; }

void SnapshotExchange::FinishFill() {
  state_.FinishFill();
  answered_.Signal();
}

}  // namespace procevent
