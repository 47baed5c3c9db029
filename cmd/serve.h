// The exporter at work, from its first line to its last. Used by Run.
#pragma once

#include "config/config.h"

namespace procevent {

// Returns the exit code: 0 after SIGTERM or SIGINT, 1 if it could not start (the log says why).
int Serve(const Config& config);

}  // namespace procevent
