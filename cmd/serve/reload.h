// Reloads the configuration on SIGHUP, applies what a reload can apply, and reports the outcome to log and metrics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cmd/logging/log.h"
#include "config/load.h"
#include "config/schema/effective_config.h"
#include "core/statistics/counting_options.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// The outcome of a reload, before it is applied.
struct ReloadResult {
  bool valid = false;
  Config config;  // to run from now on: the previous one with the changes that a reload applies
  std::vector<LogMessage> messages;
  std::string restart = {};  // "restart required for <keys>"; empty if every change is applied
};

// Compares the loaded configuration with the running one. Pure.
ReloadResult EvaluateReload(const Config& running, const LoadedConfig& loaded);

// Applies reloads to the running exporter. Owned by the main loop.
class ConfigReloader {
 public:
  using LoadFunction = std::function<LoadedConfig()>;
  using CountingReloader = std::function<void(const CountingOptions& options)>;

  // `log` and `status` must outlive it.
  ConfigReloader(Config running, LoadFunction load, Log& log, CountingReloader reload_counting, ReloadStatus& status);

  // Returns in one line which part of the configuration is not in force afterwards. Empty if all of it is.
  std::string Apply();

 private:
  // Loads the configuration and passes its counting options on. Anything that throws changes nothing.
  [[nodiscard]] ReloadResult Load() const;

  Config running_;
  LoadFunction load_;
  Log& log_;
  CountingReloader reload_counting_;
  ReloadStatus& status_;
  std::string restart_;  // ReloadResult::restart of the last valid reload
};

}  // namespace procevent
