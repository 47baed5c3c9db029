// Matchers for log messages: level, parts of the text, and fields by key.
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <string>

#include "cmd/logging/log.h"

namespace procevent {

inline LogField Number(std::string_view key, std::uint64_t value) { return {key, value}; }
inline LogField Flag(std::string_view key, bool value) { return {key, value}; }
inline LogField Text(std::string_view key, std::string value) { return {key, std::move(value)}; }

inline auto HasLevel(LogLevel level) { return testing::Field("level", &LogMessage::level, level); }
inline auto SaysText(const std::string& part) {
  return testing::Field("text", &LogMessage::text, testing::HasSubstr(part));
}
inline auto HasFields(const std::vector<LogField>& fields) {
  return testing::Field("fields", &LogMessage::fields, testing::ElementsAreArray(fields));
}

// Makes messages readable in failures.
inline void PrintTo(const LogMessage& message, std::ostream* out) {
  *out << FormatLogLine(LogFormat::kLogfmt, {}, message);
}

}  // namespace procevent
