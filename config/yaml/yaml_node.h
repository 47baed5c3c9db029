// Parses YAML into a tree of nodes with positions, and writes text as YAML. The only user of yaml-cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/input_error.h"

namespace procevent {

// A value of a YAML document.
struct YamlNode {
  enum class Kind : std::uint8_t {
    kEmpty,  // no value, null or ~
    kScalar,
    kList,
    kMap,
    kInvalid,  // its error is in YamlDocument::errors already: report no second one
  };
  Kind kind = Kind::kEmpty;
  TextPosition position;           // of an empty value: the position of its key or list
  std::string key;                 // of an entry of a map
  TextPosition key_position;       // of an entry of a map
  std::string scalar;              // kScalar
  std::vector<YamlNode> children;  // kList; kMap: with distinct keys
};

// The result of a parse: the tree, and the errors found on the way.
struct YamlDocument {
  YamlNode root;          // kEmpty: the text is empty, or contains only comments
  bool complete = false;  // false: an error ended the parse early, and `root` must not be used
  InputErrors errors;     // not sorted
};

// Rejects the parts of YAML that a configuration does not need: aliases, anchors, tags, duplicate keys, a second
// document. Bounds depth, values and errors. Throws nothing, whatever the text contains.
YamlDocument ParseYaml(std::string_view text, const std::string& file);

// The first byte that is neither printable UTF-8 nor a blank nor a line end. Rejects a byte-order mark, too.
// ParseYaml calls it first, because yaml-cpp guesses other encodings.
std::optional<InputError> FindUnprintable(std::string_view text, const std::string& file);

// Writes a scalar that parses as the same text: with quotes only where YAML needs them.
std::string YamlText(std::string_view text);

// Writes a quoted scalar. Escapes unprintable characters. `text` is UTF-8, like every text that YAML can contain.
std::string YamlQuoted(std::string_view text);

}  // namespace procevent
