#include "core/reader/queue_peak.h"

#include <algorithm>

namespace procevent {

void QueuePeak::Note(std::uint32_t bytes, std::uint64_t now_ns) {
  Forget(now_ns / kSlotNanos);
  std::uint32_t& slot = slots_[newest_ % kSlots];
  slot = std::max(slot, bytes);
}

std::uint32_t QueuePeak::Peak(std::uint64_t now_ns) {
  Forget(now_ns / kSlotNanos);
  return *std::ranges::max_element(slots_);
}

void QueuePeak::Forget(std::uint64_t slot) {
  const std::uint64_t passed = std::min<std::uint64_t>(slot - newest_, kSlots);
  for (std::uint64_t i = 0; i < passed; ++i) {
    slots_[(slot - i) % kSlots] = 0;
  }
  newest_ = slot;
}

}  // namespace procevent
