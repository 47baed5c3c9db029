#include "core/statistics/event_stream.h"

#include <numeric>

#include "core/base/arithmetic.h"

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

std::uint64_t StreamStatistics::total_lost() const {
  return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0});
}

EventStream::EventStream(unsigned cpus, EventCoverage coverage)
    : coverage_(coverage), sequence_(cpus), statistics_(cpus) {}

EventStream::Arrival EventStream::CountEvent(const Event& event, std::uint64_t now_ns) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence, event.timestamp_ns);
  if (arrival.duplicate) {
    CountRejection(Rejection::kRepeated);
    return {.duplicate = true};
  }
  const bool lost = arrival.lost != 0 && loss_exact();
  if (lost) {
    statistics_.lost[event.cpu] += arrival.lost;
    lost_ += arrival.lost;
  }
  ++statistics_.events[static_cast<std::size_t>(event.kind())];
  if (event.kind() != EventKind::kAck) {
    statistics_.delay.Add(now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0);
  }
  return {.lost = lost};
}

std::uint64_t EventStream::received() const {
  return std::accumulate(statistics_.events.begin(), statistics_.events.end(), std::uint64_t{0}) -
         statistics_.events_of(EventKind::kAck);
}

}  // namespace procevent
