#include "core/protocol/sequence_tracker.h"

namespace procevent {
namespace {

// No queue holds this many events, so what is farther back than that was not repeated: the counter ran on, and
// around, while this reader stood still.
constexpr std::uint32_t kRepeatHorizon = 1U << 24U;

}  // namespace

// All differences wrap around, as the kernel's counter does.
SequenceTracker::Arrival SequenceTracker::Observe(std::uint32_t cpu, std::uint32_t sequence) {
  if (cpu >= cpus_.size()) {
    return {};
  }
  Baseline& baseline = cpus_[cpu];
  if (!baseline.known) {
    baseline = {.known = true, .last = sequence};
    return {};
  }
  if (baseline.last - sequence < kRepeatHorizon) {
    return {.duplicate = true};
  }
  const std::uint32_t lost = sequence - baseline.last - 1;
  baseline.last = sequence;
  return {.lost = lost};
}

}  // namespace procevent
