#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "config/load.h"
#include "config/text.h"

// Whatever the text, there is a configuration, or there are faults that one may print.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const procevent::LoadedConfig loaded = procevent::LoadConfig(text, "fuzz.yml");
  const auto* faults = std::get_if<std::vector<procevent::Fault>>(&loaded);
  if (faults == nullptr) {
    return 0;
  }
  for (const procevent::Fault& fault : *faults) {
    const std::string line = procevent::Describe(fault);
    if (line.size() > 4096 || procevent::Printable(line, 8192) != line) {
      std::abort();
    }
  }
  return faults->empty() ? (std::abort(), 1) : 0;
}
