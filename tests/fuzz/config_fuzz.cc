#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/load.h"
#include "config/schema/environment.h"
#include "config/yaml/config_error.h"

namespace {

using procevent::ConfigError;
using procevent::EffectiveConfig;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void RequirePrintable(const std::vector<ConfigError>& faults) {
  for (const ConfigError& fault : faults) {
    const std::string line = procevent::Describe(fault);
    Require(line.size() <= 4096 && procevent::EscapeUnprintable(line, 8192) == line);
  }
}

// What check-config prints of it means the same.
void RequireRoundTrip(const EffectiveConfig& effective) {
  const procevent::LoadedConfig again = procevent::LoadConfig(procevent::ToYaml(effective), "fuzz.yml");
  const auto* const same = std::get_if<EffectiveConfig>(&again);
  Require(same != nullptr && same->config == effective.config);
}

void AsFile(std::string_view text) {
  const procevent::LoadedConfig loaded = procevent::LoadConfig(text, "fuzz.yml");
  if (const auto* const faults = std::get_if<std::vector<ConfigError>>(&loaded)) {
    Require(!faults->empty());
    RequirePrintable(*faults);
  } else {
    RequireRoundTrip(std::get<EffectiveConfig>(loaded));
  }
}

void AsVariable(std::string_view name, std::string_view value) {
  const std::vector<procevent::EnvironmentVariable> environment{{std::string(name), std::string(value)}};
  EffectiveConfig effective;
  const std::vector<ConfigError> faults = procevent::SetFromEnvironment(environment, effective);
  RequirePrintable(faults);
  if (faults.empty()) {
    RequireRoundTrip(effective);
  }
}

}  // namespace

// Whatever the text, there is a configuration that can be printed and read back, or there are faults that one may
// print. A text like PROCEVENT_LOG_LEVEL=debug is a variable, any other a file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::size_t equals = text.find('=');
  if (procevent::HasSimilarPrefix(text) && equals != std::string::npos) {
    AsVariable(std::string_view(text).substr(0, equals), std::string_view(text).substr(equals + 1));
  } else {
    AsFile(text);
  }
  return 0;
}
