// `procevent_exporter watch --events`: what happens, as it happens, a line each. Used by Run.
#pragma once

#include "cmd/cli/flags.h"

namespace procevent {

// The exit code: 0, or 1 if the kernel cannot be heard, or the lines not be written.
int WatchEvents(const WatchOptions& order);

}  // namespace procevent
