#include "core/reader/input_processor.h"

#include <algorithm>
#include <utility>

namespace procevent {

InputProcessor::InputProcessor(unsigned cpus, EventCoverage coverage, const CountingOptions& options)
    : options_(options),
      stream_(cpus, coverage),
      statistics_(options),
      tracker_(coverage == EventCoverage::kPartial ? 0 : options.process_limit, ActivitySink(statistics_)) {}

// Applies each kind of input but datagrams.
struct InputProcessor::OtherInputs {
  InputProcessor& processor;

  void operator()(const ConnectorDatagram& /*datagram*/) const {}
  void operator()(const NoProcRequest& /*no_request*/) const {}
  void operator()(const RejectedDatagram& rejected) const {
    processor.stream_.CountRejection(
        rejected.reason == RejectedDatagram::Reason::kOversized ? Rejection::kOversized : Rejection::kForeignSender);
  }
  // /proc snapshots, watermarks and invalidations change the process table only.
  void operator()(const auto& other) const { processor.tracker_.Apply(other); }
};

void InputProcessor::ApplyOther(const Input& input) { std::visit(OtherInputs{*this}, input); }

void InputProcessor::ApplyMessage(const Message& message, std::uint64_t now_ns) {
  if (message.outcome != DecodeOutcome::kEvent) {
    if (const auto reason = RejectionOf(message.outcome)) {
      stream_.CountRejection(*reason);
    }
    return;
  }
  const EventStream::Arrival arrival = stream_.CountEvent(message.event, now_ns);
  if (arrival.lost) {
    tracker_.Apply(Invalidation{});
  }
  if (!arrival.duplicate) {
    tracker_.Apply(message.event);
  }
}

void InputProcessor::Reload(ReloadedOptions options) {
  statistics_.SetNameGroups(std::move(options.name_groups));
  options_.group_limit = std::max(options_.group_limit, options.group_limit);
  statistics_.GrowGroups(options_.group_limit);
}

void InputProcessor::CopyTo(Numbers& numbers) const {
  static_cast<StreamStatistics&>(numbers) = stream();
  tracker_.CopyTo(numbers);
  statistics_.CopyTo(numbers);
  numbers.processes_tracked = tracks_processes();
}

}  // namespace procevent
