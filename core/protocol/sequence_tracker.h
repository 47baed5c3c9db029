// Detects lost events from per-CPU sequence gaps.
//
// The kernel numbers the events of each CPU, so a gap is a loss. It also numbers events that a narrowed subscription
// leaves out. Gaps of a narrowed subscription are therefore not losses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace procevent {

// Keeps the last sequence number of each CPU. The numbers belong to the kernel, not to a socket, so one tracker serves
// all sockets that a process opens. One thread at a time.
class SequenceTracker {
 public:
  explicit SequenceTracker(unsigned cpus) : cpus_(cpus) {}

  struct Arrival {
    bool duplicate = false;  // already observed: the other socket of a resubscription delivered it too
    std::uint32_t lost = 0;  // events of this CPU missing between the previous event and this one
  };
  // The first event of a CPU sets its baseline. Ignores CPUs outside the possible range, such as the kNoCpu of an ACK.
  // `timestamp_ns` is needed for losses_visible_until_ns() only.
  Arrival Observe(std::uint32_t cpu, std::uint32_t sequence, std::uint64_t timestamp_ns = 0) {
    if (cpu >= cpus_.size()) {
      return {};
    }
    Baseline& baseline = cpus_[cpu];
    if (!baseline.known) {
      baseline = {.known = true, .last = sequence, .timestamp_ns = timestamp_ns};
      return {};
    }
    // All differences wrap around, as the kernel's counter does.
    if (baseline.last - sequence < kDuplicateWindow) {
      return {.duplicate = true};
    }
    const std::uint32_t lost = sequence - baseline.last - 1;
    baseline.last = sequence;
    baseline.timestamp_ns = timestamp_ns;
    return {.lost = lost};
  }

  // Every event that was lost before this time has shown as a gap: each CPU with a baseline has had an event since.
  [[nodiscard]] std::uint64_t losses_visible_until_ns() const {
    std::uint64_t oldest_ns = std::numeric_limits<std::uint64_t>::max();
    for (const Baseline& baseline : cpus_) {
      oldest_ns = baseline.known ? std::min(oldest_ns, baseline.timestamp_ns) : oldest_ns;
    }
    return oldest_ns;
  }

 private:
  // No receive buffer holds this many events. A number further back is therefore not a duplicate: the kernel's counter
  // wrapped around while the reader was stalled.
  static constexpr std::uint32_t kDuplicateWindow = 1U << 24U;

  struct Baseline {
    bool known = false;
    std::uint32_t last = 0;
    std::uint64_t timestamp_ns = 0;  // of the event with the number `last`
  };
  std::vector<Baseline> cpus_;
};

}  // namespace procevent
