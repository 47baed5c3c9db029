// The configuration that is in force, and where each value came from. Made by LoadConfig, SetFromEnvironment and
// SetFromFlag, each over what was before; cmd prints it, and compares two of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace procevent {

struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string name;  // of the file, the variable or the flag; safe to print
  int line = 0;      // in the file
  bool operator==(const Origin&) const = default;
};

// "default", "procevent_exporter.yml:12", "environment PROCEVENT_LOG_LEVEL", "flag --log.level".
std::string Describe(const Origin& origin);

struct EffectiveConfig {
  Config config;
  std::map<std::string_view, Origin> origins;  // by the path of the key; those that are not here are defaults
};

// All keys in the order of the schema, each with its origin as a comment: a file that loads as the same configuration.
std::string ToYaml(const EffectiveConfig& effective);

// The paths of the keys whose values differ.
std::vector<std::string_view> ChangedKeys(const Config& before, const Config& after);

}  // namespace procevent
