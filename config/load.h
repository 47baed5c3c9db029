// Text or a file -> the configuration, or everything that is wrong with it. cmd's way into this floor.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/effective_config.h"
#include "config/fault.h"

namespace procevent {

// The faults are in the order of the text; there is at least one.
using LoadedConfig = std::variant<EffectiveConfig, std::vector<Fault>>;

// `file_name` is what the faults call the text. Never throws for what the text holds.
LoadedConfig LoadConfig(std::string_view text, std::string_view file_name);

// Reads at most 1 MiB of a regular file; waits for nothing else, such as a FIFO.
LoadedConfig LoadConfigFile(const std::string& path);

}  // namespace procevent
