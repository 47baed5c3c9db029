// What a SIGHUP means: the configuration is read again, what can change is put into force, and log and metrics are
// told. Serve makes a ConfigReloader.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cmd/logging/log.h"
#include "config/load.h"
#include "config/schema/effective_config.h"
#include "core/ledger/group_name.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

using NameGroupsSetter = std::function<void(std::span<const NameGroup> groups)>;

struct ReloadResult {
  bool good = false;
  Config config;  // what runs from now on: the one before, but for the keys that can change while it runs
  std::vector<std::pair<LogLevel, std::string>> lines;  // for the log
  std::string restart = {};  // of a good one: what needs a restart to be in force; empty: nothing
};

// The configuration as it was read anew against the one that runs. Pure.
ReloadResult EvaluateReload(const Config& running, const LoadedConfig& loaded);

class ConfigReloader {
 public:
  using LoadFunction = std::function<LoadedConfig()>;

  // All must outlive it. `running`: what is in force.
  ConfigReloader(Config running, LoadFunction load, Log& log, NameGroupsSetter regroup, ReloadStatus& status);

  // Returns what is not in force afterwards, in one line; nothing, if all is.
  std::string Apply();

 private:
  [[nodiscard]] ReloadResult Read() const;

  Config running_;
  LoadFunction load_;
  Log& log_;
  NameGroupsSetter regroup_;
  ReloadStatus& status_;
  std::string restart_;  // of the last good one
};

}  // namespace procevent
