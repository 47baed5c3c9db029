// Implements `procevent_exporter watch --events`: prints process events live, one line each.
#pragma once

#include "cmd/watch/event_printer.h"

namespace procevent {

// Returns the exit code: 0, or 1 if subscribing, receiving or writing fails.
int WatchEvents(const WatchOptions& options);

}  // namespace procevent
