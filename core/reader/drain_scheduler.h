// Decides when the reader drains the receive buffer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace procevent {

// While idle each event wakes the reader, which applies it at once. Under load the reader drains on a timer instead,
// because a wake-up costs ten times an event. Pure. EventDrain owns it.
class DrainScheduler {
 public:
  explicit DrainScheduler(std::uint64_t interval_ns) : interval_ns_(interval_ns) {}

  // After each drain: how many datagrams it received, and whether it left the queue empty.
  void RecordDrain(std::size_t datagrams, bool emptied, std::uint64_t now_ns) {
    if (!idle_ && emptied && datagrams <= kMaxIdleDatagrams) {
      idle_ = true;
      datagrams_in_window_ = 0;
    }
    if (now_ns - window_start_ns_ >= interval_ns_) {
      window_start_ns_ = now_ns;
      datagrams_in_window_ = 0;
    }
    datagrams_in_window_ += datagrams;
    if (datagrams_in_window_ > kMaxIdleDatagrams || !emptied) {
      idle_ = false;
    }
    next_drain_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
  }

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
