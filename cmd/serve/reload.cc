#include "cmd/serve/reload.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

#include "cmd/logging/log.h"
#include "config/schema/keys.h"
#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::size_t kMostFaults = 20;  // the log is no place for all of a very bad file, again and again

bool IsLive(std::string_view path) {
  const ConfigKey* const key = FindKey(path);
  return key != nullptr && key->live;
}

ReloadResult Refused(const Config& running, const std::vector<ConfigError>& faults) {
  ReloadResult reload{.good = false, .config = running, .lines = {}};
  const std::size_t told = std::min(faults.size(), kMostFaults);
  for (const ConfigError& fault : std::span(faults).first(told)) {
    reload.lines.emplace_back(LogLevel::kError, Describe(fault));
  }
  if (faults.size() > told) {
    const std::string more = std::to_string(faults.size() - told);
    reload.lines.emplace_back(LogLevel::kError, "and at least " + more + " more: check-config prints them");
  }
  reload.lines.emplace_back(LogLevel::kError,
                            "the configuration is not taken over; the one before stays in use: mend it, and send "
                            "SIGHUP again");
  return reload;
}

}  // namespace

ReloadResult EvaluateReload(const Config& running, const LoadedConfig& loaded) {
  if (const auto* const faults = std::get_if<std::vector<ConfigError>>(&loaded)) {
    return Refused(running, *faults);
  }
  const Config& fresh = std::get<EffectiveConfig>(loaded).config;
  ReloadResult reload{.good = true, .config = running, .lines = {}};
  reload.config.log.level = fresh.log.level;
  reload.config.ledger.name_groups = fresh.ledger.name_groups;
  std::vector<std::string_view> changed = ChangedKeys(running, fresh);
  const auto waiting = std::stable_partition(changed.begin(), changed.end(), IsLive);
  const std::vector<std::string_view> restart(waiting, changed.end());
  changed.erase(waiting, changed.end());
  reload.lines.emplace_back(LogLevel::kInfo,
                            changed.empty()
                                ? "the configuration was read again: nothing to take over"
                                : "the configuration was read again: " + JoinWithCommas(changed) + " taken over");
  if (!restart.empty()) {
    reload.restart = "restart to take over: " + JoinWithCommas(restart);
    reload.lines.emplace_back(LogLevel::kWarning, reload.restart);
  }
  return reload;
}

ConfigReloader::ConfigReloader(Config running, LoadFunction load, Log& log, NameGroupsSetter regroup,
                               ReloadStatus& status)
    : running_(std::move(running)), load_(std::move(load)), log_(log), regroup_(std::move(regroup)), status_(status) {}

std::string ConfigReloader::Apply() {
  ReloadResult reload = Read();
  if (reload.config.ledger.name_groups != running_.ledger.name_groups) {
    regroup_(reload.config.ledger.name_groups);
  }
  log_.SetLevel(std::min(running_.log.level, reload.config.log.level));  // so that nothing of it goes unsaid
  for (const auto& [level, line] : reload.lines) {
    log_.Write(level, line);
  }
  log_.SetLevel(reload.config.log.level);
  running_ = std::move(reload.config);
  if (!reload.good) {
    status_.RecordFailure();
    return restart_ + (restart_.empty() ? "" : "; ") + "the configuration read last is faulty";
  }
  restart_ = std::move(reload.restart);
  status_.RecordSuccess(SecondsSinceEpoch(), !restart_.empty());
  return restart_;
}

ReloadResult ConfigReloader::Read() const {
  try {
    return EvaluateReload(running_, load_());
  } catch (const std::exception& e) {
    return {.good = false,
            .config = running_,
            .lines = {{LogLevel::kError, "cannot read the configuration again: " + std::string(DescribeFatal(e))}}};
  }
}

}  // namespace procevent
