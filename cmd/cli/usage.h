// Describes the flags, and formats the messages about wrong ones. Pure.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/input_error.h"

namespace procevent {

inline constexpr const char* kProgram = "procevent_exporter";
inline constexpr const char* kFileFlag = "--config.file";
inline constexpr const char* kDurationFlag = "--duration";
inline constexpr const char* kTypeFlag = "--type";
inline constexpr const char* kCommFlag = "--comm";

// A flag that sets a key of the configuration, with its help text.
struct SettingFlag {
  const char* flag;
  std::string_view path;
  const char* value;
  const char* help;
  bool repeatable = false;
};
inline constexpr std::array kSettingFlags{
    SettingFlag{"--web.listen-address", "web.listen_addresses", "ADDRESS:PORT ...",
                "Address to listen on, such as 127.0.0.1:13675; repeatable", true},
    SettingFlag{"--web.telemetry-path", "web.telemetry_path", "PATH", "Path of the metrics, such as /metrics"},
    SettingFlag{"--web.allow", "web.allow", "NETWORK ...", "Clients that may connect, such as 10.0.0.0/8; repeatable",
                true},
    SettingFlag{"--web.max-requests", "web.max_requests", "N",
                "Maximum number of scrapes at once; further ones get 503"},
    SettingFlag{"--source.replay", "source.replay", "FILE", "Replay a capture instead of the kernel's events"},
    SettingFlag{"--source.replay-speed", "source.replay_speed", "N", "Multiple of the recorded speed, or max"},
    SettingFlag{"--source.replay-loop", "source.replay_loop", "BOOL", "true: start again at the end of the capture"},
    SettingFlag{"--log.level", "log.level", "LEVEL", "Lowest level that is logged: debug, info, warning or error"},
    SettingFlag{"--log.format", "log.format", "FORMAT", "logfmt or json"},
};

// Formats the message about a wrong command line, followed by the usage.
std::string FormatUsageError(std::string_view message);

InputError MakeDurationError(std::string_view value);
InputError MakeTypeError(std::string_view type);
std::string FormatRepeatedFlagError(std::string_view flag);

// Finds a known flag that lacks its value, or has one although it takes none. CLI11 would accept `--flag=`, or take the
// following flag as the value.
std::optional<InputError> FindFlagValueError(std::span<const char* const> arguments);

}  // namespace procevent
