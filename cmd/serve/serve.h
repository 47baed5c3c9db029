// The exporter at work, from its first line to its last. Used by Run.
#pragma once

#include <functional>

#include "config/load.h"
#include "config/schema/effective_config.h"

namespace procevent {

// `reread` reads the configuration again, for a SIGHUP. Returns the exit code: 0 after SIGTERM or SIGINT, 1 if it could
// not start (the log says why).
int Serve(const Config& config, const std::function<LoadedConfig()>& reread);

}  // namespace procevent
