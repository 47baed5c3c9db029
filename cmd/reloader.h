// A SIGHUP, obeyed: reads the configuration again, puts what can change into force, and tells the log and the metrics.
// Serve makes one.
#pragma once

#include <functional>
#include <string>

#include "cmd/log.h"
#include "cmd/reload.h"
#include "core/reader/reader.h"
#include "exporter/reload_status.h"

namespace procevent {

class Reloader {
 public:
  using Reread = std::function<LoadedConfig()>;

  // All must outlive it. `running`: what is in force.
  Reloader(Config running, Reread reread, Log& log, Reader& reader, ReloadStatus& status);

  // Returns what is not in force afterwards, in one line; nothing, if all is.
  std::string Obey();

 private:
  [[nodiscard]] Reload Read() const;

  Config running_;
  Reread reread_;
  Log& log_;
  Reader& reader_;
  ReloadStatus& status_;
};

}  // namespace procevent
