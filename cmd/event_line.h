// An event as a line for people, in the manner of forkstat. Pure; used by watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/protocol/comm_name.h"
#include "core/protocol/event.h"

namespace procevent {

// The process that an event is about: of a FORK who forks, or who has a thread more, whose parent the kernel names
// then. 0: none.
std::int32_t SubjectOf(const Event& event);

// What is known of it, once the event has happened.
struct Subject {
  std::optional<CommName> command;
  std::optional<CommName> command_before;  // of a COMM
  std::string user;                        // empty: not known
  bool ended = false;                      // of an EXIT: that was the last thread
  std::optional<std::uint64_t> lived_ns;   // then
};

// What stands above all lines, and a line: both with their ends. Whatever names are made of, it is one line that a
// terminal shows as it is.
std::string EventHeading();
std::string EventLine(std::string_view time, const Event& event, const Subject& subject);

// What stands between them.
std::string LossLine(std::uint32_t lost, std::uint32_t cpu);

}  // namespace procevent
