#include "cmd/serve/reload.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

#include "cmd/logging/log.h"
#include "config/schema/keys.h"
#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::size_t kMaxLoggedErrors = 20;  // bounds the log lines of each SIGHUP with a very bad file

LogMessage FormatError(const InputError& error) {
  LogMessage message{LogLevel::kError, Describe(error)};
  if (!error.file.empty()) {
    message.fields.push_back({"file", error.file});
  }
  if (error.position != TextPosition{}) {
    message.fields.push_back({"line", static_cast<std::uint64_t>(error.position.line)});
  }
  if (!error.key.empty()) {
    message.fields.push_back({"key", error.key});
  }
  return message;
}

ReloadResult Reject(const Config& running, const InputErrors& errors) {
  ReloadResult reload{.valid = false, .config = running, .messages = {}};
  const std::size_t logged = std::min(errors.size(), kMaxLoggedErrors);
  for (const InputError& error : std::span(errors).first(logged)) {
    reload.messages.push_back(FormatError(error));
  }
  LogMessage summary{LogLevel::kError,
                     "cannot reload the configuration; the previous one stays in use: correct the file and send SIGHUP "
                     "again"};
  if (std::ranges::any_of(errors, &InputError::truncates)) {  // the number of errors is not known
    summary.text += "; check-config prints more errors";
  } else {
    summary.fields.push_back({"errors", errors.size()});
    if (errors.size() > logged) {
      summary.text += "; check-config prints all errors";
      summary.fields.push_back({"suppressed", errors.size() - logged});
    }
  }
  reload.messages.push_back(std::move(summary));
  return reload;
}

// `keys` are those that need a restart, `decreased` those among them that a reload could only increase.
LogMessage MakeRestartWarning(const std::string& keys, std::span<const std::string_view> decreased) {
  LogMessage warning{LogLevel::kWarning, "changed keys are not in force; restart the exporter", {{"keys", keys}}};
  if (!decreased.empty()) {
    warning.text += "; a reload can only increase " + JoinWithCommas(decreased);
  }
  return warning;
}

}  // namespace

ReloadResult EvaluateReload(const Config& running, const LoadedConfig& loaded) {
  if (!loaded) {
    return Reject(running, loaded.error());
  }
  const Config& fresh = loaded.value().config;
  ReloadResult reload{.valid = true, .config = running, .messages = {}};
  std::vector<std::string_view> applied;
  std::vector<std::string_view> not_applied;
  std::vector<std::string_view> decreased;
  for (const Option* const option : ChangedOptions(running, fresh)) {
    if (ReloadApplies(*option, running, fresh)) {
      option->field.set(option->field.get(fresh), reload.config);
      applied.push_back(option->key);
      continue;
    }
    not_applied.push_back(option->key);
    if (option->reload == ReloadRule::kIncrease) {
      decreased.push_back(option->key);
    }
  }
  reload.messages.push_back(
      {LogLevel::kInfo,
       applied.empty() && not_applied.empty() ? "configuration reloaded; no key changed" : "configuration reloaded",
       {{"applied", JoinWithCommas(applied)}}});
  if (!not_applied.empty()) {
    const std::string keys = JoinWithCommas(not_applied);
    reload.restart = "restart required for " + keys;
    reload.messages.push_back(MakeRestartWarning(keys, decreased));
  }
  return reload;
}

ConfigReloader::ConfigReloader(Config running, LoadFunction load, Log& log, CountingReloader reload_counting,
                               ReloadStatus& status)
    : running_(std::move(running)),
      load_(std::move(load)),
      log_(log),
      reload_counting_(std::move(reload_counting)),
      status_(status) {}

std::string ConfigReloader::Apply() {
  ReloadResult reload = Load();
  // A line of this reload is written if the old level or the new one admits it.
  log_.SetLevel(std::min(running_.log.level, reload.config.log.level));
  for (const LogMessage& message : reload.messages) {
    log_.Write(message);
  }
  log_.SetLevel(reload.config.log.level);
  running_ = std::move(reload.config);
  if (!reload.valid) {
    status_.RecordFailure();
    return restart_ + (restart_.empty() ? "" : "; ") + "last configuration reload failed";
  }
  restart_ = std::move(reload.restart);
  status_.RecordSuccess(SecondsSinceEpoch(), !restart_.empty());
  return restart_;
}

ReloadResult ConfigReloader::Load() const {
  try {
    ReloadResult reload = EvaluateReload(running_, load_());
    if (reload.config.counting != running_.counting) {
      reload_counting_(reload.config.counting);
    }
    return reload;
  } catch (const std::exception& e) {
    return {
        .valid = false,
        .config = running_,
        .messages = {
            {LogLevel::kError,
             "cannot reload the configuration; the previous one stays in use: remove the cause and send SIGHUP again",
             {{"err", MakeFatalMessage(e).text}}}}};
  }
}

}  // namespace procevent
