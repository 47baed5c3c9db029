// What a SIGHUP means: the configuration as it was read anew against the one that runs. Pure; Serve obeys it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/load.h"
#include "config/log_options.h"

namespace procevent {

struct Reload {
  bool good = false;
  Config config;  // what runs from now on: the one before, but for the keys that can change while it runs
  std::vector<std::pair<LogLevel, std::string>> lines;  // for the log
  std::string remark = {};  // what of it is not in force, for the service manager; empty if all is
};

Reload Reread(const Config& running, const LoadedConfig& loaded);

}  // namespace procevent
