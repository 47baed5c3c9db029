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

  // After each drain: how many messages it received, and whether it left the queue empty.
  void RecordDrain(std::size_t messages, bool emptied, std::uint64_t now_ns) {
    if (!idle_ && emptied && messages <= kMaxIdleMessages) {
      idle_ = true;
      messages_in_window_ = 0;
    }
    if (now_ns - window_start_ns_ >= interval_ns_) {
      window_start_ns_ = now_ns;
      messages_in_window_ = 0;
    }
    messages_in_window_ += messages;
    if (messages_in_window_ > kMaxIdleMessages || !emptied) {
      idle_ = false;
    }
    next_drain_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
  }

  // Idle: wait for the next event. Otherwise: drain again at next_drain_ns.
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] std::uint64_t next_drain_ns() const { return next_drain_ns_; }

 private:
  // More messages than this within one interval are load.
  static constexpr std::size_t kMaxIdleMessages = 4;

  std::uint64_t interval_ns_;
  bool idle_ = true;
  std::uint64_t next_drain_ns_ = 0;
  std::uint64_t window_start_ns_ = 0;
  std::size_t messages_in_window_ = 0;
};

}  // namespace procevent
