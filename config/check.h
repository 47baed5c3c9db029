// A tree or a flag against the schema: options where the text allows it, faults where it does not.
// Used by LoadConfig and, for the flags, by cmd.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/fault.h"
#include "config/yaml_node.h"

namespace procevent {

// Every fault of the tree at once, in no order. With any, `config` is not to be used.
std::vector<Fault> CheckTree(const YamlNode& root, const std::string& file, Config& config);

// What a flag says about the key at `path`, by the file's rules; it replaces what `config` holds, a list as a whole.
// The faults name the flag. `path` must be one of the schema's.
std::vector<Fault> SetFromFlag(std::string_view flag, std::string_view path, std::span<const std::string> values,
                               Config& config);

}  // namespace procevent
