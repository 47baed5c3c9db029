// FOLDED: read_file.h, load.h
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/schema/effective_config.h"
#include "config/yaml/config_error.h"

namespace procevent {

// The bytes of a small file, without waiting for anybody. Used by LoadConfigFile.

struct ReadFileResult {
  std::string text;
  std::string found;    // what is in the way; empty: nothing, and `text` is the file
  std::string allowed;  // what to give instead
};

// A regular file of at most 1 MiB; never blocks on a FIFO or a device.
ReadFileResult ReadWholeFile(const std::string& path);

// Text or a file -> the configuration, or everything that is wrong with it. cmd's way into this floor.

// The faults are in the order of the text; there is at least one.
using LoadedConfig = std::variant<EffectiveConfig, std::vector<ConfigError>>;

// `file_name` is what the faults call the text. Never throws for what the text holds.
LoadedConfig LoadConfig(std::string_view text, std::string_view file_name);

// Reads at most 1 MiB of a regular file; waits for nothing else, such as a FIFO.
LoadedConfig LoadConfigFile(const std::string& path);

}  // namespace procevent
