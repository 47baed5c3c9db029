// What a user is told about a configuration: the lines of its faults. For the tests of config and cmd.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/load.h"

namespace procevent {

// Empty: it is good.
inline std::vector<std::string> DescribeErrors(const LoadedConfig& loaded) {
  std::vector<std::string> lines;
  if (const auto* const faults = std::get_if<std::vector<ConfigError>>(&loaded)) {
    for (const ConfigError& fault : *faults) {
      lines.push_back(Describe(fault));
    }
  }
  return lines;
}

}  // namespace procevent
