// `procevent_exporter watch --events`: what happens, as it happens, a line each. Used by Run.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "core/protocol/event.h"

namespace procevent {

// Which kinds of events are shown, by their places. ACKs answer somebody's subscription: only who asks sees them.
using EventTypes = std::array<bool, kEventKinds>;
inline constexpr EventTypes kUsualTypes{false, true, true, true, true, true, true, true, true, true, true};

struct WatchOrder {
  EventTypes types = kUsualTypes;
  std::optional<std::string> command = {};  // what it must be, as a pattern like those of a shell
  bool json = false;
  std::optional<std::chrono::milliseconds> duration = {};  // nothing: until a signal comes, or nobody reads
};

// The exit code: 0, or 1 if the kernel cannot be heard, or the lines not be written.
int WatchEvents(const WatchOrder& order);

}  // namespace procevent
