// Formats the errors of a configuration as the lines that a user reads. For the tests of config and cmd.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace procevent {

// Empty if the configuration is valid.
inline std::vector<std::string> DescribeErrors(const LoadedConfig& loaded) {
  std::vector<std::string> lines;
  if (!loaded) {
    for (const InputError& error : loaded.error()) {
      lines.push_back(Describe(error));
    }
  }
  return lines;
}

}  // namespace procevent
