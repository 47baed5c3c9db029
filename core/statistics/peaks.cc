#include "core/statistics/peaks.h"

#include <algorithm>

namespace procevent {
namespace {

// The column of each kind of count, or the number of columns for a kind that has none.
constexpr auto kColumns = [] {
  std::array<std::size_t, kCountKinds> columns{};
  for (std::size_t kind = 0; kind < kCountKinds; ++kind) {
    const auto activity = ActivityKindOf(static_cast<CountKind>(kind));
    const auto* const found = std::ranges::find(kPeakActivities, activity);
    columns.at(kind) = static_cast<std::size_t>(found - kPeakActivities.begin());
  }
  return columns;
}();

}  // namespace

void Peaks::OnEvent(const Activity& activity) {
  if (const std::size_t column = kColumns[static_cast<std::size_t>(activity.what)]; column < kPeakActivities.size()) {
    Add(column, activity.when_ns);
  }
}

void Peaks::Add(std::size_t column, std::uint64_t when_ns) {
  if (when_ns - newest_start_ns_ < kSlotNanos) {
    ++slots_[newest_index_][column];  // the common case
    return;
  }
  Advance(when_ns);
  const std::uint64_t slot = when_ns / kSlotNanos + kSlots;
  if (newest_ - slot < kSlots) {
    ++slots_[slot % kSlots][column];
  }
}

// Slots are numbered from kSlots on, so that slots before the first one exist.
void Peaks::Advance(std::uint64_t now_ns) {
  const std::uint64_t slot = now_ns / kSlotNanos + kSlots;
  if (slot <= newest_) {
    return;
  }
  for (std::uint64_t skipped = std::min<std::uint64_t>(slot - newest_, kSlots); skipped-- > 0;) {
    slots_[(slot - skipped) % kSlots] = {};
  }
  newest_ = slot;
  newest_index_ = slot % kSlots;
  newest_start_ns_ = (slot - kSlots) * kSlotNanos;
}

PeakRates Peaks::Rates() const {
  PeakRates rates{};
  for (std::size_t window = 0; window < kWindowSlots.size(); ++window) {
    const std::size_t width = kWindowSlots.at(window);
    const double per_second = static_cast<double>(kNanosPerSecond) / static_cast<double>(width * kSlotNanos);
    std::array<std::uint64_t, kPeakActivities.size()> sum{};
    std::array<std::uint64_t, kPeakActivities.size()> highest{};
    for (std::uint64_t slot = newest_ - kWindowEnds - width + 2; slot <= newest_; ++slot) {
      const bool complete = slot + kWindowEnds > newest_;
      for (std::size_t activity = 0; activity < kPeakActivities.size(); ++activity) {
        sum[activity] += At(slot)[activity];
        if (complete) {
          highest[activity] = std::max(highest[activity], sum[activity]);
          sum[activity] -= At(slot - width + 1)[activity];
        }
      }
    }
    for (std::size_t activity = 0; activity < kPeakActivities.size(); ++activity) {
      rates[activity][window] = static_cast<double>(highest[activity]) * per_second;
    }
  }
  return rates;
}

}  // namespace procevent
