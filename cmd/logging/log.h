// Writes log lines to standard error in logfmt or JSON.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/schema/log_options.h"
#include "core/base/result.h"

namespace spdlog {
class logger;
}

namespace procevent {

// A fact that a machine may filter on: `lost=153`, `client="10.0.0.9"` or `loop=true`.
struct LogField {
  std::string_view key;  // static text in snake_case
  std::variant<std::uint64_t, std::string, bool> value;
  bool operator==(const LogField&) const = default;
};

// One line of the log. `text` is a short statement with its remedy. Facts that vary are fields, kMaxLogFields at most.
struct LogMessage {
  LogLevel level = LogLevel::kInfo;
  std::string text;
  std::vector<LogField> fields = {};
};

using LogFunction = std::function<void(const LogMessage& message)>;

// "cannot <operation>: <cause>; <remedy>", with the errno's text as field `err`, too.
LogMessage MakeErrorMessage(LogLevel level, const Error& error);

// No line is longer, so a pipe that is writable at all takes it in one piece.
inline constexpr std::size_t kMaxLineBytes = 2048;
// The fields share the line: the fewer a message has, the longer each may be.
inline constexpr std::size_t kMaxLogFields = 6;

// Formats `ts=2026-11-21T12:00:00.000Z level=info msg="..." lost=153`, or the same as a JSON object, with the line end.
// The result is one line of valid UTF-8 for any content. A text that is too long ends in "...".
std::string FormatLogLine(LogFormat format, std::chrono::system_clock::time_point time, const LogMessage& message);

// The line of the exception that ended a command. A FatalError and std::bad_alloc have a remedy.
LogMessage MakeFatalMessage(const std::exception& error);

// The log of a command. Thread-safe. A write never blocks: a line that cannot be written at once is dropped, and the
// next line that can be written is preceded by the number of dropped ones.
class Log {
 public:
  explicit Log(const LogOptions& options, int fd = STDERR_FILENO);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void Write(const LogMessage& message) const;
  // Any thread may call Write meanwhile.
  void SetLevel(LogLevel level);

 private:
  LogFormat format_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace procevent
