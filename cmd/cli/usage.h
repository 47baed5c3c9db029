// What the flags are, and what is said to who gives wrong ones. Pure; the command line's own.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/yaml/config_error.h"

namespace procevent {

inline constexpr const char* kProgram = "procevent_exporter";
inline constexpr const char* kFileFlag = "--config.file";
inline constexpr const char* kDurationFlag = "--duration";
inline constexpr const char* kTypeFlag = "--type";
inline constexpr const char* kCommFlag = "--comm";

// A flag that sets a key of the configuration.
struct SettingFlag {
  const char* flag;
  std::string_view path;
  const char* value;
  const char* help;
  bool repeatable = false;
};
inline constexpr std::array kSettingFlags{
    SettingFlag{"--web.listen-address", "web.listen_addresses", "HOST:PORT ...",
                "Where to serve, as in 127.0.0.1:13675; may be given several times", true},
    SettingFlag{"--web.telemetry-path", "web.telemetry_path", "PATH", "The path of the metrics, as in /metrics"},
    SettingFlag{"--web.allow", "web.allow", "NETWORK ...", "Who may ask, as in 10.0.0.0/8; may be given several times",
                true},
    SettingFlag{"--web.max-requests", "web.max_requests", "N", "How many scrapes are served at once"},
    SettingFlag{"--source.replay", "source.replay", "FILE", "Replay a capture instead of listening to the kernel"},
    SettingFlag{"--source.replay-speed", "source.replay_speed", "N", "How many times faster than recorded, or max"},
    SettingFlag{"--source.replay-loop", "source.replay_loop", "BOOL", "true: begin anew at the end of the capture"},
    SettingFlag{"--log.level", "log.level", "LEVEL", "debug, info, warning or error"},
    SettingFlag{"--log.format", "log.format", "FORMAT", "logfmt or json"},
};

// The message and how to call it: what a wrong command line is answered with.
std::string FormatUsageError(std::string_view message);

ConfigError DurationFault(std::string_view value);
ConfigError TypeFault(std::string_view type);
std::string FormatRepeatedFlagError(std::string_view flag);

// A flag of ours without its value, or one with a value that has none: CLI11 would take `--flag=`, or give it the flag
// that follows.
std::optional<ConfigError> FindFlagValueFault(std::span<const char* const> arguments);

}  // namespace procevent
