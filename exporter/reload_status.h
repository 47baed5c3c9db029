// How the last reading of the configuration went, for the metrics. cmd notes it; scraping threads ask, at any time.
#pragma once

#include <atomic>

namespace procevent {

class ReloadStatus {
 public:
  // It was read at the start.
  explicit ReloadStatus(double now_seconds) : succeeded_at_seconds_(now_seconds) {}

  // `restart_pending`: some of it is not in force before a restart.
  void NoteSuccess(double now_seconds, bool restart_pending) {
    succeeded_at_seconds_.store(now_seconds, std::memory_order_relaxed);
    restart_pending_.store(restart_pending, std::memory_order_relaxed);
    successful_.store(true, std::memory_order_relaxed);
  }
  void NoteFailure() { successful_.store(false, std::memory_order_relaxed); }

  [[nodiscard]] bool successful() const { return successful_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool restart_pending() const { return restart_pending_.load(std::memory_order_relaxed); }
  // Since the epoch.
  [[nodiscard]] double succeeded_at_seconds() const { return succeeded_at_seconds_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> successful_{true};
  std::atomic<bool> restart_pending_{false};
  std::atomic<double> succeeded_at_seconds_;
};

}  // namespace procevent
