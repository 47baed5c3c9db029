// Events to lines, of those that were asked for, with what is known of their processes; and what was lost between them.
// Used by watch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "cmd/event_line.h"
#include "cmd/user_names.h"
#include "cmd/watch.h"
#include "core/base/cpus.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/sequence.h"

namespace procevent {

class EventPrinter {
 public:
  // `is_echo` knows the events that the watch itself makes: they are not shown.
  EventPrinter(WatchOrder order, std::function<bool(const CommBody&)> is_echo,
               const ProcessTableOptions& processes = {})
      : order_(std::move(order)), is_echo_(std::move(is_echo)), sequence_(PossibleCpus()), table_(processes) {}

  // Once the subscription stands. The error says whose names will not be known, and why.
  Status Begin(std::string& out);
  // The next message of the stream. `wall_clock_ns` is what is to be added to an event's time.
  void Print(const Message& message, std::uint64_t wall_clock_ns, std::string& out);
  // Something was missed that no number tells of.
  void Doubt() { table_.Doubt(); }

 private:
  void PrintEvent(const Event& event, std::uint64_t wall_clock_ns, std::string& out);
  void PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const;
  [[nodiscard]] Subject LookUp(const Event& event);
  [[nodiscard]] bool IsWanted(const Event& event, const Subject& subject) const;

  WatchOrder order_;
  std::function<bool(const CommBody&)> is_echo_;
  Sequence sequence_;
  ProcessTable table_;
  UserNames users_;
};

}  // namespace procevent
