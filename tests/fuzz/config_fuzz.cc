// Loads any text as a file, or as a variable if it looks like PROCEVENT_LOG_LEVEL=debug. Checks that the errors are
// printable, and that a valid configuration is printed as text that loads as the same configuration.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/load.h"
#include "config/schema/environment.h"
#include "core/base/input_error.h"
#include "core/base/text.h"
#include "require.h"

namespace {

using procevent::EffectiveConfig;
using procevent::InputError;
using procevent::InputErrors;
using procevent::Require;

void RequirePrintable(const InputErrors& errors) {
  for (const InputError& error : errors) {
    const std::string line = procevent::Describe(error);
    Require(line.size() <= 4096, "an error is bounded");
    Require(procevent::EscapeUnprintable(line, 8192) == line, "an error is printable");
  }
}

void RequireRoundTrip(const EffectiveConfig& effective) {
  const procevent::LoadedConfig reloaded = procevent::LoadConfig(procevent::ToYaml(effective), "fuzz.yml");
  Require(reloaded && reloaded.value().config == effective.config, "a printed configuration loads as the same one");
}

void LoadAsFile(std::string_view text) {
  const procevent::LoadedConfig loaded = procevent::LoadConfig(text, "fuzz.yml");
  if (!loaded) {
    Require(!loaded.error().empty(), "an invalid file has an error");
    RequirePrintable(loaded.error());
  } else {
    RequireRoundTrip(loaded.value());
  }
}

void LoadAsVariable(std::string_view name, std::string_view value) {
  const std::vector<procevent::EnvironmentVariable> environment{{std::string(name), std::string(value)}};
  EffectiveConfig effective;
  const InputErrors errors = procevent::SetFromEnvironment(environment, effective);
  RequirePrintable(errors);
  if (errors.empty()) {
    RequireRoundTrip(effective);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::size_t equals = text.find('=');
  if (procevent::HasSimilarPrefix(text) && equals != std::string::npos) {
    LoadAsVariable(std::string_view(text).substr(0, equals), std::string_view(text).substr(equals + 1));
  } else {
    LoadAsFile(text);
  }
  return 0;
}
