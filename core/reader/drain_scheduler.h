// FOLDED: queue_peak.h, waiter.h, rhythm.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/file_descriptor.h"

namespace procevent {

// The fullest the receive queue was in the last minute: one figure a slot of six seconds, the oldest slot forgotten as
// a new one begins. Pure; the reader owns it.

class QueuePeak {
 public:
  void RecordUsage(std::uint32_t bytes, std::uint64_t now_ns);
  // Over the last 54 to 60 seconds.
  [[nodiscard]] std::uint32_t PeakBytes(std::uint64_t now_ns);

 private:
  static constexpr std::size_t kSlots = 10;
  static constexpr std::uint64_t kSlotNanos = 6'000'000'000;
  void Forget(std::uint64_t slot);

  std::array<std::uint32_t, kSlots> slots_{};
  std::uint64_t newest_ = 0;
};

// Where the reader sleeps: until one of its wakes rings, the source has something, or the time has come. The reader
// owns it.

class Poller {
 public:
  // Throws std::runtime_error if the system has no descriptors left.
  explicit Poller(std::span<const int> wakes);

  // `source_fd` is -1 while the source must not wake us. The time is rounded up to milliseconds. True if a wake rang.
  [[nodiscard]] bool Wait(int source_fd, std::uint64_t until_ns);

 private:
  void Add(int fd) const;

  OwnedFd epoll_;
  int source_fd_ = -1;  // as it stands in the epoll
};

// When to drain. At rest each event wakes the reader and is handled at once; when events come thick it stops being
// woken, and drains on a timer until the flow ebbs: a wake-up costs ten times an event. Pure; the reader owns it.

class DrainScheduler {
 public:
  explicit DrainScheduler(std::uint64_t interval_ns) : interval_ns_(interval_ns) {}

  // After each drain: how much it brought, and whether it left nothing behind.
  void RecordDrain(std::size_t datagrams, bool emptied, std::uint64_t now_ns);

  // Resting: wait for the next event. Otherwise: drain again at due_ns.
  [[nodiscard]] bool idle() const { return resting_; }
  [[nodiscard]] std::uint64_t next_drain_ns() const { return due_ns_; }

 private:
  // A flow is more than this within one interval.
  static constexpr std::size_t kFew = 4;

  std::uint64_t interval_ns_;
  bool resting_ = true;
  std::uint64_t due_ns_ = 0;
  std::uint64_t window_start_ns_ = 0;
  std::size_t in_window_ = 0;
};

}  // namespace procevent
