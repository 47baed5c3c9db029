// The options of the log.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace procevent {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
inline constexpr std::array<std::string_view, 4> kLogLevelNames{"debug", "info", "warning", "error"};
enum class LogFormat : std::uint8_t { kLogfmt, kJson };
inline constexpr std::array<std::string_view, 2> kLogFormatNames{"logfmt", "json"};

// Selects the level and the format of the log.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kLogfmt;
  bool operator==(const LogOptions&) const = default;
};

}  // namespace procevent
