#include "core/reader/snapshot_exchange.h"

#include "core/base/system.h"

namespace procevent {

bool ExchangeState::Step(Stage from, Stage to) {
  return stage_.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
}

bool ExchangeState::Ask() { return Step(Stage::kIdle, Stage::kAsked); }
bool ExchangeState::TakeBack() { return Step(Stage::kAsked, Stage::kIdle); }
bool ExchangeState::Collect() { return Step(Stage::kFilled, Stage::kIdle); }
bool ExchangeState::Asked() const { return stage_.load(std::memory_order_relaxed) == Stage::kAsked; }
bool ExchangeState::Begin() { return Step(Stage::kAsked, Stage::kFilling); }
void ExchangeState::Finish() { stage_.store(Stage::kFilled, std::memory_order_release); }

Exchange::Exchange(const Snapshot& blank)
    : asked_(Wake::MakeOrThrow()), answered_(Wake::MakeOrThrow()), snapshots_{blank, blank} {}

Exchange::Age Exchange::Take(Snapshot& out, std::chrono::milliseconds timeout) {
  return Look(timeout, [&out](const Snapshot& snapshot, Age /*age*/) { out = snapshot; });
}

Exchange::Age Exchange::Look(std::chrono::milliseconds timeout, const Glance& look) {
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
    return Age::kNone;
  }
  const Age age = whole().taken_ns > arrived ? Age::kFresh : Age::kStale;
  look(whole(), age);
  return age;
}

// Asks for the others too, who arrived meanwhile. The lock is open while this waits, so that each scraper keeps its
// own deadline.
void Exchange::AskAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t arrived,
                          std::chrono::steady_clock::time_point deadline) {
  CollectAnswer();  // one that came after its scraper had gone
  if (whole().taken_ns > arrived) {
    return;
  }
  if (state_.Ask()) {
    asked_.Ring();
  }
  asking_ = true;
  lock.unlock();
  [[maybe_unused]] const bool answered = answered_.WaitFor(deadline - std::chrono::steady_clock::now());
  lock.lock();
  asking_ = false;
  if (!state_.TakeBack()) {
    CollectAnswer();
  }
  scraper_done_.notify_all();
}

void Exchange::CollectAnswer() {
  if (state_.stage() == ExchangeState::Stage::kFilled) {
    whole_ = 1 - whole_;
    [[maybe_unused]] const bool collected = state_.Collect();
  }
}

Snapshot* Exchange::Begin() { return state_.Begin() ? &snapshots_[1 - whole_] : nullptr; }

void Exchange::Finish() {
  state_.Finish();
  answered_.Ring();
}

}  // namespace procevent
