// Runs the exporter: start-up, main loop and shutdown.
#pragma once

#include <functional>

#include "config/load.h"
#include "config/schema/effective_config.h"

namespace procevent {

// `load` loads the configuration again on SIGHUP. Returns the exit code: 0 after SIGTERM or SIGINT, 1 if the exporter
// could not start or its reader failed, with the cause in the log.
int Serve(const Config& config, const std::function<LoadedConfig()>& load);

}  // namespace procevent
