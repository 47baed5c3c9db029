// Decides when the reader sleeps and when it drains the receive queue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/file_descriptor.h"

namespace procevent {

// The highest usage of the receive queue in the last minute: one value per slot of six seconds. A new slot replaces the
// oldest. Pure. LossTracker owns it.
class QueuePeak {
 public:
  void RecordUsage(std::uint32_t bytes, std::uint64_t now_ns);
  // Over the last 54 to 60 seconds.
  [[nodiscard]] std::uint32_t PeakBytes(std::uint64_t now_ns);

 private:
  static constexpr std::size_t kSlots = 10;
  static constexpr std::uint64_t kSlotNanos = 6'000'000'000;
  void ClearSlotsUntil(std::uint64_t slot);

  std::array<std::uint32_t, kSlots> slots_{};
  std::uint64_t newest_slot_ = 0;
};

// Sleeps until another thread signals, the source has datagrams, or a time has come. The reader owns it.
class Poller {
 public:
  // Throws std::runtime_error if the system has no descriptors left.
  explicit Poller(std::span<const int> signal_fds);

  // `source_fd` is -1 while datagrams must not end the wait. The time is rounded up to milliseconds. True if one of the
  // signals ended the wait.
  [[nodiscard]] bool Wait(int source_fd, std::uint64_t until_ns);

 private:
  void Add(int fd) const;

  OwnedFd epoll_;
  int source_fd_ = -1;  // the one registered in the epoll
};

// Decides when to drain. While idle each event wakes the reader, which applies it at once. Under load the reader drains
// on a timer instead, because a wake-up costs ten times an event. Pure. EventDrain owns it.
class DrainScheduler {
 public:
  explicit DrainScheduler(std::uint64_t interval_ns) : interval_ns_(interval_ns) {}

  // After each drain: how many datagrams it received, and whether it left the queue empty.
  void RecordDrain(std::size_t datagrams, bool emptied, std::uint64_t now_ns);

  // Idle: wait for the next event. Otherwise: drain again at next_drain_ns.
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] std::uint64_t next_drain_ns() const { return next_drain_ns_; }

 private:
  // More datagrams than this within one interval are load.
  static constexpr std::size_t kMaxIdleDatagrams = 4;

  std::uint64_t interval_ns_;
  bool idle_ = true;
  std::uint64_t next_drain_ns_ = 0;
  std::uint64_t window_start_ns_ = 0;
  std::size_t datagrams_in_window_ = 0;
};

}  // namespace procevent
