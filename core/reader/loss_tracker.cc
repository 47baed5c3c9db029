#include "core/reader/loss_tracker.h"

#include <algorithm>
#include <utility>

namespace procevent {
namespace {

// Moving to a busy CPU takes time. The loop drains between the steps.
constexpr std::uint64_t kMaxProbeStep = 5 * kNanosPerMilli;

}  // namespace

void QueuePeak::RecordUsage(std::uint32_t bytes, std::uint64_t now_ns) {
  ClearSlotsUntil(now_ns / kSlotNanos);
  std::uint32_t& slot = slots_[newest_slot_ % kSlots];
  slot = std::max(slot, bytes);
}

std::uint32_t QueuePeak::PeakBytes(std::uint64_t now_ns) {
  ClearSlotsUntil(now_ns / kSlotNanos);
  return *std::ranges::max_element(slots_);
}

void QueuePeak::ClearSlotsUntil(std::uint64_t slot) {
  const std::uint64_t passed = std::min<std::uint64_t>(slot - newest_slot_, kSlots);
  for (std::uint64_t i = 0; i < passed; ++i) {
    slots_[(slot - i) % kSlots] = 0;
  }
  newest_slot_ = slot;
}

void LossTracker::CheckQueue(std::uint64_t now_ns) {
  queue_ = source_.Queue();
  if (queue_.drops != std::exchange(invalidated_drops_, queue_.drops)) {
    Invalidate(now_ns);
  }
}

void LossTracker::Invalidate(std::uint64_t now_ns) {
  inputs_.Apply(Invalidation{}, now_ns);
  invalidate_when_empty_ = true;
}

void LossTracker::OnQueueEmptied(std::uint64_t now_ns) {
  if (std::exchange(invalidate_when_empty_, false)) {
    inputs_.Apply(Invalidation{}, now_ns);
  }
}

void LossTracker::Report(std::uint64_t now_ns) {
  const std::uint64_t lost = processor_.loss_exact() ? processor_.lost() : queue_.drops;
  if (const auto loss = report_limiter_.TakeDueReport(lost, queue_.drops, now_ns)) {
    notices_.Post({.kind = Notice::Kind::kEventsLost,
                   .count = loss->events,
                   .buffer_bytes = loss->queue_full ? queue_.limit_bytes / 2 : 0});
  }
}

void LossTracker::ContinueProbe(bool queue_empty, std::uint64_t now_ns) {
  if (queue_empty && any_hidden_drops() && now_ns >= probe_.next_probe_ns()) {
    StartProbe(now_ns);
  }
  if (probing() && source_.SendCanaryOnEachCpu(now_ns + kMaxProbeStep)) {
    probe_.Finish(MonotonicNanos());
  }
}

void LossTracker::FillSnapshot(Snapshot& snapshot, std::uint64_t now_ns) {
  queue_ = source_.Queue();
  snapshot.queue_peak_bytes = peak_.PeakBytes(now_ns);
  snapshot.queue_limit_bytes = queue_.limit_bytes;
}

}  // namespace procevent
