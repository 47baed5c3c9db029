#include "cmd/reloader.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "cmd/why_ended.h"
#include "core/base/clock.h"

namespace procevent {

Reloader::Reloader(Config running, Reread reread, Log& log, Reader& reader, ReloadStatus& status)
    : running_(std::move(running)), reread_(std::move(reread)), log_(log), reader_(reader), status_(status) {}

std::string Reloader::Obey() {
  const Reload reload = Read();
  if (reload.config.ledger.name_groups != running_.ledger.name_groups) {
    reader_.Regroup(reload.config.ledger.name_groups);
  }
  log_.SetLevel(std::min(running_.log.level, reload.config.log.level));  // so that nothing of it goes unsaid
  for (const auto& [level, line] : reload.lines) {
    log_.Say(level, line);
  }
  log_.SetLevel(reload.config.log.level);
  reload.good ? status_.NoteSuccess(SecondsSinceEpoch(), !reload.remark.empty()) : status_.NoteFailure();
  running_ = reload.config;
  return reload.remark;
}

Reload Reloader::Read() const {
  try {
    return procevent::Reread(running_, reread_());
  } catch (const std::exception& e) {
    return {.good = false,
            .config = running_,
            .lines = {{LogLevel::kError, "cannot read the configuration again: " + std::string(WhyEnded(e))}},
            .remark = "the configuration could not be read again"};
  }
}

}  // namespace procevent
