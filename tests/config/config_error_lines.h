// Formats the errors of a configuration as the lines that a user reads. For the tests of config and cmd.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/load.h"

namespace procevent {

// Empty if the configuration is valid.
inline std::vector<std::string> DescribeErrors(const LoadedConfig& loaded) {
  std::vector<std::string> lines;
  if (const auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
    for (const ConfigError& error : *errors) {
      lines.push_back(Describe(error));
    }
  }
  return lines;
}

}  // namespace procevent
