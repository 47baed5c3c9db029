// What the environment says: each key has a variable, PROCEVENT_ and its path in capitals. It comes as data; only cmd
// knows the process's own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/effective_config.h"
#include "config/yaml/config_error.h"

namespace procevent {

struct EnvironmentVariable {
  std::string name;
  std::string value;
};

inline constexpr std::string_view kVariablePrefix = "PROCEVENT_";
inline constexpr std::string_view kConfigFileVariable = "PROCEVENT_CONFIG_FILE";

// "log.level" -> "PROCEVENT_LOG_LEVEL".
std::string EnvironmentVariableName(std::string_view path);

// Whether it begins nearly like ours, in capitals or not: no other variable needs to be looked at.
bool HasSimilarPrefix(std::string_view name);

// The first of that name; empty: it is not there, or empty, which means the same.
std::string_view FindVariableValue(std::string_view name, std::span<const EnvironmentVariable> environment);

// Whether Kubernetes or Docker may have made a variable of that name for a service or a link: PROCEVENT_PORT,
// PROCEVENT_SERVICE_HOST, PROCEVENT_EXPORTER_PORT_13675_TCP_ADDR.
bool IsInjected(std::string_view name);

// What stands behind a key in a file may be its variable's value; it replaces what `effective` holds. The faults name
// the variables, those that are nearly one of ours or would be a reverse proxy's too. All others are ignored.
std::vector<ConfigError> SetFromEnvironment(std::span<const EnvironmentVariable> environment,
                                            EffectiveConfig& effective);

}  // namespace procevent
