// FOLDED: encoding.h, yaml_text.h, yaml_node.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/config_error.h"

namespace procevent {

// What no YAML parser should be shown: it has its own ideas of bytes that are no text. Pure; used by ParseYaml.

// The first place that is not printable UTF-8, a blank or the end of a line. A byte-order mark is one.
std::optional<ConfigError> FindUnreadable(std::string_view text, const std::string& file);

// A text as a YAML file has it, for the effective configuration: read back, it is the same text. Pure; used inside
// config.

// As it is where nothing in it means something to YAML, else between quotes.
std::string YamlText(std::string_view text);

// Between quotes; characters that may not be printed are escaped. `text` is UTF-8, as all that YAML can say.
std::string YamlQuoted(std::string_view text);

// YAML text -> a plain tree, and a fault for everything in it that no configuration needs: aliases, anchors, tags,
// duplicate keys, a second document. The only place that knows yaml-cpp; used by LoadConfig.

struct YamlNode {
  enum class Kind : std::uint8_t {
    kNothing,  // an empty value, null or ~
    kScalar,
    kList,
    kMap,
    kInvalid,  // has its fault already: say nothing more about it
  };
  Kind kind = Kind::kNothing;
  TextPosition place;              // of an empty value: its key's, or its list's
  std::string key;                 // of an entry of a map
  TextPosition key_place;          // the same
  std::string scalar;              // kScalar
  std::vector<YamlNode> children;  // kList, and kMap: there with distinct keys
};

struct YamlDocument {
  YamlNode root;                    // kNothing: the text is empty, or holds only comments
  bool whole = false;               // false: the text ended the parse early, and the root is not to be trusted
  std::vector<ConfigError> faults;  // in no order
};

// Never throws for what the text holds. Bounded: depth, values and faults.
YamlDocument ParseYaml(std::string_view text, const std::string& file);

}  // namespace procevent
