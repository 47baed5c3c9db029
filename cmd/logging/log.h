// FOLDED: quote.h, log_line.h, why_ended.h, log.h
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "config/schema/effective_config.h"

namespace spdlog {
class logger;
}

namespace procevent {

// Text of any bytes as a JSON string, which logfmt reads too. Pure; used by the log and by doctor.

// With its quotes. Whatever the text holds, this is one line of valid UTF-8 and can be read back; one that is longer
// than about `most_bytes` ends in "...".
std::string Quote(std::string_view text, std::size_t most_bytes);

// What a line of the log looks like. Pure; used by the log.

// No line is longer: a pipe that can be written to at all takes it in one piece.
inline constexpr std::size_t kMaxLineBytes = 2048;

// `ts=2026-11-21T12:00:00.000Z level=info msg="..."` or the same as a JSON object, with the line end. Whatever the
// message holds, it stays one line of valid UTF-8 and can be read back; what is too long ends in "...".
std::string FormatLogLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                          std::string_view message);

// Why an exception ended what was under way: a line with cause and remedy. Used by main and Serve.

// Its own text, or that of a memory too small, which takes no memory. Lives as long as `fault`.
const char* DescribeFatal(const std::exception& fault);

// The log: lines on the standard error, at once or never. A reader of it that stands still costs lines, which are
// counted and told, and never stops the process. Made by Serve; any thread may use it.

class Log {
 public:
  explicit Log(const LogOptions& options, int fd = STDERR_FILENO);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void Write(LogLevel level, std::string_view message) const;
  // From now on; any thread may say something meanwhile.
  void SetLevel(LogLevel level);

 private:
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace procevent
