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
    const std::vector<std::string_view> names = NamesUnder(path);
    if (node.kind != Kind::kMap) {
      Reject(node, path, "a map of " + JoinWithCommas(names));
      return;
    }
    for (const YamlNode& child : node.children) {
      const std::string child_path = JoinPath(path, child.key);
      if (std::ranges::find(names, child.key) == names.end()) {
        RejectUnknownKey(child, path, child_path);
      } else if (const Option* option = FindOption(child_path)) {
        CheckValue(*option, child_path, child);
        effective_.origins[option->key] = {Origin::Kind::kFile, file_, child.key_position.line};
      } else {
        CheckSection(child, child_path);
      }
    }
  }

  // Stores the value. With an error, what is valid of it.
  void CheckValue(const Option& option, const std::string& name, const YamlNode& node) {
    value_ = option.field.get(effective_.config);
    if (node.kind == Kind::kScalar && !option.empty_word.empty() && node.scalar == option.empty_word) {
      value_ = MakeEmpty(option);
    } else if (!option.list) {
      CheckScalar(option, name, node);
    } else {
      CheckList(option, name, node);
    }
    option.field.set(value_, effective_.config);
  }

  InputErrors TakeErrors() { return std::move(errors_); }

 private:
  // The value that the empty word stands for: the type of the default, without content.
  static OptionValue MakeEmpty(const Option& option) {
    return std::visit([](const auto& value) { return OptionValue(std::decay_t<decltype(value)>{}); },
                      option.field.get(Config()));
  }

  void RejectUnknownKey(const YamlNode& child, const std::string& section, const std::string& child_path) {
    if (IsTlsSetting(section.empty() ? child.key : section + '.' + child.key)) {
      errors_.push_back(TlsSettingError(file_, child.key_position, child_path));
      return;
    }
    const std::string_view renamed = FindNewName(section.empty() ? child.key : section + '.' + child.key);
    AddUnknownKey(child, section,
                  renamed.empty() ? DescribeNames(NamesUnder(section), SuggestKey(section, child.key))
                                  : DescribeNewName(renamed));
  }

  static std::string DescribeNames(std::span<const std::string_view> names, std::string_view suggestion) {
    return "one of " + JoinWithCommas(names) + DidYouMean(suggestion);
  }

  void AddUnknownKey(const YamlNode& child, const std::string& path, std::string expected) {
    errors_.push_back(
        {file_, child.key_position, path, "unknown key " + QuotePrintable(child.key), std::move(expected)});
  }

  void CheckScalar(const Option& option, const std::string& name, const YamlNode& node) {
    if (node.kind != Kind::kScalar) {
      Reject(node, name, DescribeExpected(option));
    } else if (auto value = ParseScalar(option.type, node.scalar)) {
      value_ = std::move(value).value();
    } else {
      RejectScalar(option, name, node, DescribeExpected(option), value.error());
    }
  }

  // Where a list is accepted, a scalar is a list of one item.
  void CheckList(const Option& option, const std::string& name, const YamlNode& node) {
    value_ = MakeEmpty(option);
    const bool is_map = std::holds_alternative<MapType>(option.type);
    if (node.kind == Kind::kScalar && !is_map && node.scalar.find(',') != std::string::npos) {
      Reject(node, name, DescribeExpectedScalar(option) + " (write several as a list, as in [a, b])");
    } else if (node.kind == Kind::kScalar && !is_map) {
      AddItem(option, name, node, DescribeExpectedScalar(option));
    } else if (node.kind != Kind::kList || node.children.size() < option.list->min_items) {
      Reject(node, name, DescribeExpected(option));
    } else if (node.children.size() > option.list->max_items) {
      errors_.push_back({file_, node.position, name, "too many items (" + std::to_string(node.children.size()) + ')',
                         DescribeExpected(option)});
    } else {
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        CheckItem(option, JoinIndex(name, i), node.children[i]);
      }
      CheckWholeList(option, name, node);
    }
  }

  void CheckItem(const Option& option, const std::string& name, const YamlNode& item) {
    const auto* const map = std::get_if<MapType>(&option.type);
    if (item.kind == Kind::kMap && map != nullptr) {
      AddMapItem(*map, name, item);
    } else if (item.kind != Kind::kScalar || map != nullptr) {
      Reject(item, name, DescribeExpectedItem(option));
    } else if (!option.empty_word.empty() && item.scalar == option.empty_word) {
      Reject(item, name, DescribeExpectedItem(option) + " (" + item.scalar + " cannot be an item of a list)");
    } else {
      AddItem(option, name, item, DescribeExpectedItem(option));
    }
  }

  // Appends an item to the list, if it is valid and in order.
  void AddItem(const Option& option, const std::string& name, const YamlNode& item, const std::string& expected) {
    auto* const texts = std::get_if<std::vector<std::string>>(&value_);
    auto parsed = ParseScalar(option.type, item.scalar, texts == nullptr ? std::span<const std::string>() : *texts);
    if (!parsed) {
      RejectScalar(option, name, item, expected, parsed.error());
    } else if (texts != nullptr) {
      texts->push_back(std::get<std::string>(std::move(parsed).value()));
    } else {
      auto& numbers = std::get<std::vector<std::uint64_t>>(value_);
      const std::uint64_t number = std::get<std::uint64_t>(parsed.value());
      if (option.list->rising && !numbers.empty() && number <= numbers.back()) {
        Reject(item, name, expected + " (each must exceed the previous one)");
      } else if (!option.list->rising && std::ranges::find(numbers, number) != numbers.end()) {
        Reject(item, name, expected + " (it is in the list twice)");
      } else {
        numbers.push_back(number);
      }
    }
  }

  // Appends the fields of a map, which must have all fields of the item and no others.
  void AddMapItem(const MapType& map, const std::string& name, const YamlNode& item) {
    std::vector<std::string> texts;
    for (const std::string_view field : map.fields) {
      const auto child = std::ranges::find(item.children, field, &YamlNode::key);
      if (child == item.children.end()) {
        errors_.push_back({file_, item.position, JoinPath(name, field), "missing key", std::string(map.expected)});
      } else if (child->kind == Kind::kScalar) {
        texts.push_back(child->scalar);
      } else {
        Reject(*child, JoinPath(name, field), "a text");
      }
    }
    for (const YamlNode& child : item.children) {
      if (std::ranges::find(map.fields, child.key) == map.fields.end()) {
        AddUnknownKey(child, name, DescribeNames(map.fields, SuggestWord(child.key, map.fields)));
      }
    }
    if (texts.size() != map.fields.size()) {
      return;
    }
    if (const Status status = map.check(texts); !status) {
      errors_.push_back({file_, item.position, name, "invalid rule (" + DescribeCauseAndRemedy(status.error()) + ')',
                         std::string(map.expected)});
      return;
    }
    std::ranges::move(texts, std::back_inserter(std::get<std::vector<std::string>>(value_)));
  }

  void CheckWholeList(const Option& option, const std::string& name, const YamlNode& node) {
    const auto* const texts = std::get_if<std::vector<std::string>>(&value_);
    if (option.list->check == nullptr || texts == nullptr) {
      return;
    }
    if (const Status status = option.list->check(*texts); !status) {
      errors_.push_back({file_, node.position, name, "invalid list (" + DescribeCauseAndRemedy(status.error()) + ')',
                         DescribeExpected(option)});
    }
  }

  // Explains why the scalar is invalid, or suggests the word that it resembles.
  void RejectScalar(const Option& option, const std::string& name, const YamlNode& node, std::string expected,
                    const Error& error) {
    const std::string_view empty_word[]{option.empty_word};
    const std::string_view similar = SuggestWord(node.scalar, empty_word);
    const std::string cause = DescribeCauseAndRemedy(error);
    if (!similar.empty()) {
      expected += DidYouMean(similar);
    } else if (!cause.empty()) {
      expected += " (" + cause + ')';
    } else {
      expected += DidYouMean(SuggestWord(node.scalar, WordsOf(option)));
    }
    Reject(node, name, std::move(expected));
  }

  void Reject(const YamlNode& node, const std::string& name, std::string expected) {
    if (node.kind != Kind::kInvalid) {
      errors_.push_back({file_, node.position, name, DescribeProblem(node), std::move(expected)});
    }
  }

  const std::string& file_;
  EffectiveConfig& effective_;
  OptionValue value_;  // of the key that is being checked
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
      R"(TLS and authentication are not supported; use a reverse proxy, see "TLS and authentication" in docs/security.md)",
      {}};
}

InputErrors CheckTree(const YamlNode& root, const std::string& file, EffectiveConfig& effective) {
  ConfigValidator validator(file, effective);
  validator.CheckSection(root, "");
  return validator.TakeErrors();
}

YamlDocument ParseValue(const std::string& name, std::string_view value) {
  YamlDocument document = ParseYaml(value, {});
  for (InputError& error : document.errors) {
    const bool needs_dot = !error.key.empty() && error.key.front() != '[';
    error.key = name + (needs_dot ? "." : "") + error.key;
  }
  return document;
}

InputErrors CheckValue(const Option& option, const std::string& name, const YamlNode& value,
                       EffectiveConfig& effective) {
  const std::string no_file;
  ConfigValidator validator(no_file, effective);
  validator.CheckValue(option, name, value);
  return validator.TakeErrors();
}

// A list in YAML, as opposed to a text such as [::1]:80.
bool IsYamlList(const Option& option, std::string_view value) {
  const bool opens = value.starts_with('[') || value.starts_with('{');
  return option.list && opens && (!std::holds_alternative<TextType>(option.type) || value.ends_with(']'));
}

// Adds the value of a flag to a list: as one text, or as the items of a list in YAML.
void AddFlagValue(const Option& option, const std::string& flag, const std::string& value, YamlNode& list,
                  InputErrors& errors) {
  YamlDocument document;
  if (const std::size_t invalid = FindInvalidUtf8(value); invalid != std::string::npos) {
    errors.push_back({{}, {}, flag, InvalidValue(value), "UTF-8, unlike byte " + std::to_string(invalid + 1)});
  } else if (IsYamlList(option, value)) {
    document = ParseValue(flag, value);
    std::ranges::move(document.errors, std::back_inserter(errors));
  } else {
    document.root.kind = Kind::kScalar;
    document.root.scalar = value;
  }
  if (document.root.kind == Kind::kList) {
    std::ranges::move(document.root.children, std::back_inserter(list.children));
  } else {
    list.children.push_back(std::move(document.root));
  }
}

InputErrors SetFromFlag(const std::string& flag, const Option& option, std::span<const std::string> values,
                        EffectiveConfig& effective) {
  InputErrors errors;
  YamlNode node;
  node.kind = Kind::kList;
  for (const std::string& value : values) {
    AddFlagValue(option, flag, value, node, errors);
  }
  const bool is_one_text = values.size() == 1 && !IsYamlList(option, values.front());
  if (is_one_text && !node.children.empty()) {
    node = YamlNode(node.children.front());
  }
  if (errors.empty()) {
    errors = CheckValue(option, flag, node, effective);
  }
  for (InputError& error : errors) {
    error.position = {};
  }
  effective.origins[option.key] = {Origin::Kind::kFlag, flag, 0};
  return errors;
}

}  // namespace procevent
