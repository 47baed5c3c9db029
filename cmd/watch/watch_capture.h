// Implements `procevent_exporter watch --events FILE`: prints the process events of a capture, one line each.
#pragma once

#include <string>

#include "cmd/watch/event_printer.h"

namespace procevent {

// Returns the exit code: 0 at the end of the capture, or 1 if reading or writing fails. Needs no privilege.
int WatchCapture(const WatchOptions& options, const std::string& file);

}  // namespace procevent
