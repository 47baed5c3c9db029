// Implements the processor in the slow and obvious way: one event at a time, with maps and strings, and with bounds
// only where the processor's results depend on them. The processor must agree with it on every number.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "core/protocol/event.h"
#include "tests/core/reference/reference_statistics.h"
#include "tests/core/reference/reference_tracker.h"

namespace procevent::reference {

// The slow and obvious counterpart of procevent::InputProcessor: the event stream, the tracker and the statistics.
class InputProcessor {
 public:
  InputProcessor(unsigned cpus, const CountingOptions& options);
  InputProcessor(const InputProcessor&) = delete;  // the tracker refers to the statistics
  InputProcessor& operator=(const InputProcessor&) = delete;
  ~InputProcessor() = default;

  void ApplyEvent(const Event& event, std::uint64_t now_ns);
  void Advance(std::uint64_t now_ns) { statistics.Advance(now_ns); }

  std::map<std::string_view, std::uint64_t> events;
  std::map<std::uint32_t, std::uint64_t> lost;
  std::uint64_t repeated = 0;
  std::uint64_t delays = 0;
  std::uint64_t delay_sum_ns = 0;
  ReferenceStatistics statistics;
  ReferenceTracker tracker;

 private:
  [[nodiscard]] bool IsNew(const Event& event);

  std::map<std::uint32_t, std::uint32_t> last_sequence_;
  unsigned cpus_;
};

}  // namespace procevent::reference
