#include "config/schema/validator.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "config/schema/keys.h"
#include "core/base/input_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

// A TLS setting begins with one of these words, alone or after "web".
constexpr std::array<std::string_view, 14> kTlsWords{"tls",      "mtls",      "ssl",         "https",      "cert",
                                                     "key_file", "keyfile",   "private_key", "basic_auth", "basicauth",
                                                     "auth",     "client_ca", "client_cert", "http_server"};
// After "web" these words are TLS settings, too. Elsewhere they may belong to another program.
constexpr std::array<std::string_view, 11> kTlsWordsUnderWeb{"config",   "config_file", "user",   "users",
                                                             "username", "password",    "passwd", "htpasswd",
                                                             "token",    "bearer",      "secret"};

template <std::size_t kSize>
bool BeginsWithAny(std::string_view name, const std::array<std::string_view, kSize>& words) {
  return std::ranges::any_of(words, [name](std::string_view word) {
    return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '_');
  });
}

using Kind = YamlNode::Kind;

std::string DescribeProblem(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kScalar:
      return InvalidValue(node.scalar);
    case Kind::kList:
      return node.children.empty() ? "empty list" : "unexpected list";
    case Kind::kMap:
      return "unexpected map";
    case Kind::kEmpty:
    case Kind::kInvalid:
      break;
  }
  return "missing value";
}

// Walks a tree along the schema. Writes each valid value into the effective configuration, and for a file the line of
// each key as its origin.
class ConfigValidator {
 public:
  ConfigValidator(const std::string& file, EffectiveConfig& effective) : file_(file), effective_(effective) {}

  void CheckSection(const YamlNode& node, const std::string& path) {
    if (node.kind == Kind::kEmpty) {
      return;  // every key keeps its default
    }
    if (node.kind != Kind::kMap) {
      Reject(node, path, "a map of " + JoinWithCommas(NamesUnder(path)));
      return;
    }
    const std::vector<std::string_view> names = NamesUnder(path);
    for (const YamlNode& child : node.children) {
      const std::string child_path = JoinPath(path, child.key);
      if (std::ranges::find(names, child.key) == names.end()) {
        RejectUnknownKey(child, path, child_path);
      } else if (const ConfigKey* key = FindKey(child_path)) {
        CheckValue(*key, child);
        effective_.origins[key->path] = {Origin::Kind::kFile, file_, child.key_position.line};
      } else {
        CheckSection(child, child_path);
      }
    }
  }

  void CheckValue(const ConfigKey& key, const YamlNode& node) {
    const std::string path(key.path);
    if (node.kind == Kind::kScalar) {
      CheckScalar(key, node, path);
    } else if (node.kind == Kind::kList && (key.may_be_empty || !node.children.empty()) && key.max_items != 0) {
      CheckList(key, node, path);
    } else {
      Reject(node, path, std::string(key.expected));
    }
  }

  InputErrors TakeErrors() { return std::move(errors_); }

 private:
  void RejectUnknownKey(const YamlNode& child, const std::string& section, const std::string& child_path) {
    if (IsTlsSetting(section.empty() ? child.key : section + '.' + child.key)) {
      errors_.push_back(TlsSettingError(file_, child.key_position, child_path));
      return;
    }
    RejectUnknownKey(child, section, NamesUnder(section), SuggestKey(section, child.key));
  }

  void RejectUnknownKey(const YamlNode& child, const std::string& path, std::span<const std::string_view> names,
                        std::string_view suggestion) {
    errors_.push_back({file_, child.key_position, path, "unknown key " + QuotePrintable(child.key),
                       "one of " + JoinWithCommas(names) + DidYouMean(suggestion)});
  }

  // Where a list is accepted, a scalar is a list of one item, unless it is or resembles a word that replaces the list.
  void CheckScalar(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (key.parse != nullptr && (key.parse_item == nullptr || !SuggestWord(node.scalar, key.names).empty())) {
      ParseScalar(key.parse, node, path, DescribeExpectedScalar(key), key.names);
    } else if (key.parse_item != nullptr && node.scalar.find(',') != std::string::npos) {
      Reject(node, path, DescribeExpectedScalar(key) + " (write several as a list, as in [a, b], or repeat the flag)");
    } else if (key.parse_item != nullptr) {
      key.clear(effective_.config);
      ParseScalar(key.parse_item, node, path, DescribeExpectedScalar(key), key.item_names);
      FinishList(key, node, path);
    } else {
      Reject(node, path, std::string(key.expected));
    }
  }

  void CheckList(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (node.children.size() > key.max_items) {
      errors_.push_back({file_, node.position, path, "too many items (" + std::to_string(node.children.size()) + ')',
                         std::string(key.expected)});
      return;
    }
    key.clear(effective_.config);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const YamlNode& item = node.children[i];
      if (item.kind == Kind::kMap && key.parse_fields != nullptr) {
        CheckFields(key, item, JoinIndex(path, i));
      } else if (item.kind == Kind::kScalar && std::ranges::find(key.names, item.scalar) != key.names.end()) {
        Reject(item, JoinIndex(path, i),
               std::string(key.expected_item) + " (" + item.scalar + " cannot be an item of a list)");
      } else if (item.kind == Kind::kScalar && key.parse_item != nullptr) {
        ParseScalar(key.parse_item, item, JoinIndex(path, i), key.expected_item, key.item_names);
      } else {
        Reject(item, JoinIndex(path, i), std::string(key.expected_item));
      }
    }
    FinishList(key, node, path);
  }

  void FinishList(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (const ParseResult result = key.finish(effective_.config); !result.accepted) {
      errors_.push_back(
          {file_, node.position, path, "invalid list (" + result.reason + ')', std::string(key.expected)});
    }
  }

  // The map must have all fields of the key, and no others.
  void CheckFields(const ConfigKey& key, const YamlNode& item, const std::string& path) {
    std::vector<std::string> texts;
    for (const std::string_view field : key.fields) {
      const auto child = std::ranges::find(item.children, field, &YamlNode::key);
      if (child == item.children.end()) {
        errors_.push_back({file_, item.position, JoinPath(path, field), "missing key", std::string(key.expected_item)});
      } else if (child->kind == Kind::kScalar) {
        texts.push_back(child->scalar);
      } else {
        Reject(*child, JoinPath(path, field), "a text");
      }
    }
    for (const YamlNode& child : item.children) {
      if (std::ranges::find(key.fields, child.key) == key.fields.end()) {
        RejectUnknownKey(child, path, key.fields, SuggestWord(child.key, key.fields));
      }
    }
    if (texts.size() != key.fields.size()) {
      return;
    }
    if (const ParseResult result = key.parse_fields(texts, effective_.config); !result.accepted) {
      errors_.push_back(
          {file_, item.position, path, "invalid rule (" + result.reason + ')', std::string(key.expected_item)});
    }
  }

  void ParseScalar(ValueParser parse, const YamlNode& node, const std::string& path, std::string_view expected,
                   std::span<const std::string_view> names) {
    const ParseResult result = parse(node.scalar, effective_.config);
    if (!result.accepted) {
      const std::string hint =
          result.reason.empty() ? DidYouMean(SuggestWord(node.scalar, names)) : " (" + result.reason + ')';
      Reject(node, path, std::string(expected) + hint);
    }
  }

  void Reject(const YamlNode& node, const std::string& path, std::string expected) {
    if (node.kind != Kind::kInvalid) {
      errors_.push_back({file_, node.position, path, DescribeProblem(node), std::move(expected)});
    }
  }

  const std::string& file_;
  EffectiveConfig& effective_;
  InputErrors errors_;
};

}  // namespace

bool IsTlsSetting(std::string_view name) {
  std::string plain(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  std::ranges::transform(plain, plain.begin(), [](char c) { return c == '-' || c == '.' ? '_' : ToLowerAscii(c); });
  std::string_view rest = plain;
  constexpr std::string_view kSection = "web_";
  if (rest.starts_with(kSection)) {
    rest.remove_prefix(kSection.size());
    return BeginsWithAny(rest, kTlsWords) || BeginsWithAny(rest, kTlsWordsUnderWeb);
  }
  return BeginsWithAny(rest, kTlsWords);
}

InputError TlsSettingError(std::string file, TextPosition position, std::string name) {
  return {
      std::move(file),
      position,
      std::move(name),
      R"(TLS and authentication are not supported; use a reverse proxy, see "TLS and authentication" in the README)",
      {}};
}

InputErrors CheckTree(const YamlNode& root, const std::string& file, EffectiveConfig& effective) {
  ConfigValidator validator(file, effective);
  validator.CheckSection(root, "");
  return validator.TakeErrors();
}

InputErrors CheckValue(const ConfigKey& key, const YamlNode& value, EffectiveConfig& effective) {
  const std::string no_file;
  ConfigValidator validator(no_file, effective);
  validator.CheckValue(key, value);
  return validator.TakeErrors();
}

InputErrors SetFromFlag(std::string_view flag, std::string_view path, std::span<const std::string> values,
                        EffectiveConfig& effective) {
  const ConfigKey* const key = FindKey(path);
  assert(key != nullptr);
  YamlNode node;
  node.kind = Kind::kList;
  for (const std::string& value : values) {
    node.children.emplace_back().kind = Kind::kScalar;
    node.children.back().scalar = value;
  }
  if (values.size() == 1) {
    node = YamlNode(node.children.front());
  }
  InputErrors errors = CheckValue(*key, node, effective);
  for (InputError& error : errors) {
    error.key = flag;
  }
  effective.origins[key->path] = {Origin::Kind::kFlag, std::string(flag), 0};
  return errors;
}

}  // namespace procevent
