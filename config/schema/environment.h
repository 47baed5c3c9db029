// Applies environment variables to the configuration. The variable of a key is PROCEVENT_ and its path in capitals.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/effective_config.h"
#include "core/base/input_error.h"

namespace procevent {

// A variable of the process's environment. Only cmd reads that environment.
struct EnvironmentVariable {
  std::string name;
  std::string value;
};

inline constexpr std::string_view kVariablePrefix = "PROCEVENT_";
inline constexpr std::string_view kConfigFileVariable = "PROCEVENT_CONFIG_FILE";

// "PROCEVENT_LOG_LEVEL" for "log.level".
std::string EnvironmentVariableName(std::string_view path);

// True if the name begins with something like kVariablePrefix, in any case. SetFromEnvironment ignores all other names,
// so the caller can leave them out.
bool HasSimilarPrefix(std::string_view name);

// The value of the first variable of that name. Empty if it is missing or empty: both mean unset.
std::string_view FindVariableValue(std::string_view name, std::span<const EnvironmentVariable> environment);

// True if Kubernetes or Docker may have set a variable of that name for a service or a link: PROCEVENT_PORT,
// PROCEVENT_SERVICE_HOST, PROCEVENT_EXPORTER_PORT_13675_TCP_ADDR.
bool IsInjected(std::string_view name);

// Replaces values of `effective`. The value of a variable is YAML, as it would follow the key in a file. The errors
// name the variables. A misspelled variable and one for a TLS setting are errors, too. Ignores all other variables.
InputErrors SetFromEnvironment(std::span<const EnvironmentVariable> environment, EffectiveConfig& effective);

}  // namespace procevent
