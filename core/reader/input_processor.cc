#include "core/reader/input_processor.h"

namespace procevent {

InputProcessor::InputProcessor(unsigned cpus, EventCoverage coverage, const CountingOptions& options)
    : stream_(cpus, coverage),
      statistics_(options),
      tracker_(coverage == EventCoverage::kPartial ? 0 : options.process_limit, ActivitySink(statistics_)) {}

void InputProcessor::ApplyMessage(const Message& message, std::uint64_t now_ns) {
  if (message.outcome != DecodeOutcome::kEvent) {
    if (const auto reason = RejectionOf(message.outcome)) {
      CountRejection(*reason);
    }
    return;
  }
  const EventStream::Arrival arrival = stream_.CountEvent(message.event, now_ns);
  if (arrival.lost) {
    Invalidate();
  }
  if (!arrival.duplicate) {
    tracker_.ApplyEvent(message.event);
  }
}

void InputProcessor::CopyTo(Numbers& snapshot) const {
  static_cast<StreamStatistics&>(snapshot) = stream();
  tracker_.CopyTo(snapshot);
  statistics_.CopyTo(snapshot);
  snapshot.processes_tracked = tracks_processes();
}

}  // namespace procevent
