// When to drain. At rest each event wakes the reader and is handled at once; when events come thick it stops being
// woken, and drains on a timer until the flow ebbs: a wake-up costs ten times an event. Pure; the reader owns it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace procevent {

class Rhythm {
 public:
  explicit Rhythm(std::uint64_t interval_ns) : interval_ns_(interval_ns) {}

  // After each drain: how much it brought, and whether it left nothing behind.
  void Drained(std::size_t datagrams, bool emptied, std::uint64_t now_ns);

  // Resting: wait for the next event. Otherwise: drain again at due_ns.
  [[nodiscard]] bool resting() const { return resting_; }
  [[nodiscard]] std::uint64_t due_ns() const { return due_ns_; }

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
