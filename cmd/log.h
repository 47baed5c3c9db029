// The log: lines on the standard error, at once or never. A reader of it that stands still costs lines, which are
// counted and told, and never stops the process. Made by Serve; any thread may use it.
#pragma once

#include <unistd.h>

#include <memory>
#include <string_view>

#include "config/log_options.h"

namespace spdlog {
class logger;
}

namespace procevent {

class Log {
 public:
  explicit Log(const LogOptions& options, int fd = STDERR_FILENO);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void Say(LogLevel level, std::string_view message) const;
  // From now on; any thread may say something meanwhile.
  void SetLevel(LogLevel level);

 private:
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace procevent
