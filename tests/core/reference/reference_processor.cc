#include "tests/core/reference/reference_processor.h"

#include <algorithm>

namespace procevent::reference {

InputProcessor::InputProcessor(unsigned cpus, const CountingOptions& options)
    : statistics(options),
      tracker(options.process_limit, [this](const Activity& activity) { statistics.OnActivity(activity); }),
      cpus_(cpus) {}

// Returns whether the event is new, and counts the events that were lost before it.
bool InputProcessor::IsNew(const Event& event) {
  if (event.cpu >= cpus_) {
    return true;
  }
  const auto last = last_sequence_.find(event.cpu);
  if (last != last_sequence_.end()) {
    const auto ahead = static_cast<std::int32_t>(event.sequence - last->second);
    if (ahead <= 0) {
      ++repeated;
      return false;
    }
    if (ahead > 1) {
      lost[event.cpu] += static_cast<std::uint64_t>(ahead) - 1;
      tracker.Invalidate();
    }
  }
  last_sequence_[event.cpu] = event.sequence;
  return true;
}

void InputProcessor::ApplyEvent(const Event& event, std::uint64_t now_ns) {
  if (!IsNew(event)) {
    return;
  }
  const std::string_view kind = kEventNames.at(event.body.index());
  ++events[kind];
  if (kind == "ack") {
    return;
  }
  ++delays;
  const std::uint64_t delay_ns = now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0;
  delay_sum_ns += std::min(delay_ns, UINT64_MAX - delay_sum_ns);
  tracker.ApplyEvent(event);
}

}  // namespace procevent::reference
