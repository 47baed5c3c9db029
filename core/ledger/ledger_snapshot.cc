#include "core/ledger/ledger_snapshot.h"

#include <algorithm>
#include <numeric>

namespace procevent {

std::optional<Rejection> RejectionOf(DecodeOutcome outcome) {
  switch (outcome) {
    case DecodeOutcome::kEvent:
    case DecodeOutcome::kControl:
    case DecodeOutcome::kAcknowledgement:
      return std::nullopt;
    case DecodeOutcome::kKernelError:
      return Rejection::kKernelError;
    case DecodeOutcome::kOverrun:
      return Rejection::kOverrun;
    case DecodeOutcome::kReservedType:
      return Rejection::kReservedType;
    case DecodeOutcome::kForeignConnector:
      return Rejection::kForeignConnector;
    case DecodeOutcome::kTruncatedNetlinkHeader:
      return Rejection::kTruncatedNetlinkHeader;
    case DecodeOutcome::kTruncatedConnectorHeader:
      return Rejection::kTruncatedConnectorHeader;
    case DecodeOutcome::kTruncatedEventHeader:
      return Rejection::kTruncatedEventHeader;
    case DecodeOutcome::kTruncatedEventBody:
      return Rejection::kTruncatedEventBody;
    case DecodeOutcome::kWrongLength:
      return Rejection::kWrongLength;
  }
  return std::nullopt;
}

// Searches from the bucket of the previous value: events of one batch have similar delays.
void DelayHistogram::Add(std::uint64_t nanos) {
  while (last_bucket_ < kBounds && nanos > kUpperNanos[last_bucket_]) {
    ++last_bucket_;
  }
  while (last_bucket_ > 0 && nanos <= kUpperNanos[last_bucket_ - 1]) {
    --last_bucket_;
  }
  ++counts_[last_bucket_];
  sum_nanos_ = SaturatingSum(sum_nanos_, nanos);
}

void Peaks::Add(Activity activity, std::uint64_t when_ns) {
  const auto* const found = std::ranges::find(kPeakActivities, activity);
  if (found == kPeakActivities.end()) {
    return;
  }
  const auto column = static_cast<std::size_t>(found - kPeakActivities.begin());
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

std::uint64_t StreamStatistics::total_lost() const {
  return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0});
}

Counts LedgerSnapshot::total() const {
  Counts counts = pending;
  counts += comms.retired;
  for (const CommRow& row : comms.rows) {
    counts += row.counts;
  }
  return counts;
}

}  // namespace procevent
