#include "cmd/configure.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "config/check.h"

namespace procevent {
namespace {

// What the file says, and its faults, with what counts more.
LoadedConfig Complete(EffectiveConfig effective, std::vector<Fault> faults, const Flags& flags,
                      std::span<const Variable> environment) {
  std::ranges::move(SetFromEnvironment(environment, effective), std::back_inserter(faults));
  for (const Setting& setting : flags.settings) {
    std::ranges::move(SetFromFlag(setting.flag, setting.path, setting.values, effective), std::back_inserter(faults));
  }
  if (!faults.empty()) {
    return faults;
  }
  return effective;
}

}  // namespace

std::optional<std::string> ConfigFileOf(const Flags& flags, std::span<const Variable> environment) {
  const std::string_view variable = ValueOf(kConfigFileVariable, environment);
  return flags.config_file || variable.empty() ? flags.config_file : std::optional<std::string>(variable);
}

LoadedConfig Configure(const Flags& flags, std::span<const Variable> environment) {
  EffectiveConfig effective;
  std::vector<Fault> faults;
  const std::optional<std::string> file = ConfigFileOf(flags, environment);
  if (file && file->empty()) {
    faults.push_back({{}, {}, "--config.file", R"("")", "the path of a file"});
  } else if (file) {
    LoadedConfig loaded = LoadConfigFile(*file);
    if (auto* const of_file = std::get_if<std::vector<Fault>>(&loaded)) {
      faults = std::move(*of_file);
      if (!flags.config_file && faults.front().place == Place{}) {
        faults.front().key = kConfigFileVariable;  // it is not there, or cannot be read
      }
    } else {
      effective = std::get<EffectiveConfig>(std::move(loaded));
    }
  }
  return Complete(std::move(effective), std::move(faults), flags, environment);
}

LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const Variable> environment) {
  return Complete({}, {}, flags, environment);
}

}  // namespace procevent
