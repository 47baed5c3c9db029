// FOLDED: user_names.h, event_line.h, event_printer.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "cmd/watch/watch.h"
#include "core/base/system.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"

namespace procevent {

// What users are called. Used by watch.

class UserNameCache {
 public:
  // The name that the machine has for the number, or else the number. Asked for once, as long as there is room.
  const std::string& Resolve(std::uint32_t user);

 private:
  static constexpr std::size_t kMost = 4096;

  std::unordered_map<std::uint32_t, std::string> names_;
};

// An event as a line for people, in the manner of forkstat. Pure; used by watch.

// The process that an event is about: of a FORK who forks, or who has a thread more, whose parent the kernel names
// then. 0: none.
std::int32_t GetEventPid(const Event& event);

// What is known of it, once the event has happened.
struct ProcessDetails {
  std::optional<CommName> command;
  std::optional<CommName> command_before;  // of a COMM
  std::string user;                        // empty: not known
  bool ended = false;                      // of an EXIT: that was the last thread
  std::optional<std::uint64_t> lived_ns;   // then
};

// What stands above all lines, and a line: both with their ends. Whatever names are made of, it is one line that a
// terminal shows as it is.
std::string FormatEventHeader();
std::string FormatEventLine(std::string_view time, const Event& event, const ProcessDetails& subject);

// What stands between them.
std::string FormatLossLine(std::uint32_t lost, std::uint32_t cpu);

// Events to lines, of those that were asked for, with what is known of their processes; and what was lost between them.
// Used by watch.

class EventPrinter {
 public:
  // `is_echo` knows the events that the watch itself makes: they are not shown.
  EventPrinter(WatchOptions order, std::function<bool(const CommBody&)> is_echo,
               const ProcessTableOptions& processes = {})
      : order_(std::move(order)), is_echo_(std::move(is_echo)), sequence_(PossibleCpus()), table_(processes) {}

  // Once the subscription stands. The error says whose names will not be known, and why.
  Status Begin(std::string& out);
  // The next message of the stream. `wall_clock_ns` is what is to be added to an event's time.
  void Print(const Message& message, std::uint64_t wall_clock_ns, std::string& out);
  // Something was missed that no number tells of.
  void Invalidate() { table_.Invalidate(); }

 private:
  void PrintEvent(const Event& event, std::uint64_t wall_clock_ns, std::string& out);
  void PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const;
  [[nodiscard]] ProcessDetails LookUp(const Event& event);
  [[nodiscard]] bool IsWanted(const Event& event, const ProcessDetails& subject) const;

  WatchOptions order_;
  std::function<bool(const CommBody&)> is_echo_;
  SequenceTracker sequence_;
  ProcessTable table_;
  UserNameCache users_;
};

}  // namespace procevent
