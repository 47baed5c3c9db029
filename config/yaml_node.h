// YAML text -> a plain tree, and a fault for everything in it that no configuration needs: aliases, anchors, tags,
// duplicate keys, a second document. The only place that knows yaml-cpp; used by LoadConfig.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/fault.h"

namespace procevent {

struct YamlNode {
  enum class Kind : std::uint8_t {
    kNothing,  // an empty value, null or ~
    kScalar,
    kList,
    kMap,
    kRefused,  // has its fault already: say nothing more about it
  };
  Kind kind = Kind::kNothing;
  Place place;                     // of an empty value: its key's, or its list's
  std::string key;                 // of an entry of a map
  Place key_place;                 // the same
  std::string scalar;              // kScalar
  std::vector<YamlNode> children;  // kList, and kMap: there with distinct keys
};

struct YamlDocument {
  YamlNode root;              // kNothing: the text is empty, or holds only comments
  bool whole = false;         // false: the text ended the parse early, and the root is not to be trusted
  std::vector<Fault> faults;  // in no order
};

// Never throws for what the text holds. Bounded: depth, values and faults.
YamlDocument ParseYaml(std::string_view text, const std::string& file);

}  // namespace procevent
