#include "config/schema/validator.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "config/schema/keys.h"
#include "config/yaml/config_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

// Whole words that a name begins with, by themselves or behind "web".
constexpr std::array<std::string_view, 14> kOurs{"tls",      "mtls",      "ssl",         "https",      "cert",
                                                 "key_file", "keyfile",   "private_key", "basic_auth", "basicauth",
                                                 "auth",     "client_ca", "client_cert", "http_server"};
// Behind "web" only: elsewhere they could be anybody's.
constexpr std::array<std::string_view, 11> kUnderWeb{"config", "config_file", "user",  "users",  "username", "password",
                                                     "passwd", "htpasswd",    "token", "bearer", "secret"};

template <std::size_t kSize>
bool BeginsWithOne(std::string_view name, const std::array<std::string_view, kSize>& words) {
  return std::ranges::any_of(words, [name](std::string_view word) {
    return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '_');
  });
}

}  // namespace

bool IsTlsSetting(std::string_view name) {
  std::string plain(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  std::ranges::transform(plain, plain.begin(), [](char c) { return c == '-' || c == '.' ? '_' : ToLowerAscii(c); });
  std::string_view rest = plain;
  constexpr std::string_view kSection = "web_";
  if (rest.starts_with(kSection)) {
    rest.remove_prefix(kSection.size());
    return BeginsWithOne(rest, kOurs) || BeginsWithOne(rest, kUnderWeb);
  }
  return BeginsWithOne(rest, kOurs);
}

ConfigError TlsSettingError(std::string file, TextPosition place, std::string name) {
  return {std::move(file), place, std::move(name), "a setting for TLS or authentication",
          R"(none: both are a reverse proxy's, see "TLS and authentication" in the README)"};
}

namespace {

using Kind = YamlNode::Kind;

std::string Found(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kScalar:
      return QuotePrintable(node.scalar);
    case Kind::kList:
      return node.children.empty() ? "an empty list" : "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kNothing:
    case Kind::kInvalid:
      break;
  }
  return "an empty value";
}

// What it is told, it writes into the configuration that it is given, and the lines of a file with it.
class ConfigValidator {
 public:
  ConfigValidator(const std::string& file, EffectiveConfig& effective) : file_(file), effective_(effective) {}

  void Section(const YamlNode& node, const std::string& path) {
    if (node.kind == Kind::kNothing) {
      return;  // all in it is as by default
    }
    if (node.kind != Kind::kMap) {
      Refuse(node, path, "a map of " + JoinWithCommas(NamesUnder(path)));
      return;
    }
    const std::vector<std::string_view> names = NamesUnder(path);
    for (const YamlNode& child : node.children) {
      const std::string child_path = JoinPath(path, child.key);
      if (std::ranges::find(names, child.key) == names.end()) {
        Unknown(child, path, child_path);
      } else if (const ConfigKey* key = FindKey(child_path)) {
        Value(*key, child);
        effective_.origins[key->path] = {Origin::Kind::kFile, file_, child.key_place.line};
      } else {
        Section(child, child_path);
      }
    }
  }

  void Value(const ConfigKey& key, const YamlNode& node) {
    const std::string path(key.path);
    if (node.kind == Kind::kScalar) {
      Alone(key, node, path);
    } else if (node.kind == Kind::kList && (key.may_be_empty || !node.children.empty()) && key.most_items != 0) {
      List(key, node, path);
    } else {
      Refuse(node, path, std::string(key.allowed));
    }
  }

  std::vector<ConfigError> TakeFaults() { return std::move(faults_); }

 private:
  void Unknown(const YamlNode& child, const std::string& section, const std::string& full) {
    if (IsTlsSetting(section.empty() ? child.key : section + '.' + child.key)) {
      faults_.push_back(TlsSettingError(file_, child.key_place, full));
      return;
    }
    faults_.push_back({file_, child.key_place, full, "an unknown key",
                       "one of " + JoinWithCommas(NamesUnder(section)) + DidYouMean(SuggestKey(section, child.key))});
  }

  // Where a list may stand, a text alone is a list of one, unless it is, or nearly is, a word for another list.
  void Alone(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (key.take != nullptr && (key.take_item == nullptr || !SuggestWord(node.scalar, key.names).empty())) {
      Text(key.take, node, path, DescribeAllowedScalar(key), key.names);
    } else if (key.take_item != nullptr && node.scalar.find(',') != std::string::npos) {
      Refuse(node, path,
             DescribeAllowedScalar(key) + " (several are a list, as in [a, b]; a flag is given several times)");
    } else if (key.take_item != nullptr) {
      key.start(effective_.config);
      Text(key.take_item, node, path, DescribeAllowedScalar(key), key.item_names);
      key.finish(effective_.config);
    } else {
      Refuse(node, path, std::string(key.allowed));
    }
  }

  void List(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (node.children.size() > key.most_items) {
      faults_.push_back(
          {file_, node.place, path, std::to_string(node.children.size()) + " items", std::string(key.allowed)});
      return;
    }
    key.start(effective_.config);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const YamlNode& item = node.children[i];
      if (item.kind == Kind::kMap && key.take_fields != nullptr) {
        Entry(key, item, JoinIndex(path, i));
      } else if (item.kind == Kind::kScalar && std::ranges::find(key.names, item.scalar) != key.names.end()) {
        Refuse(item, JoinIndex(path, i), std::string(key.allowed_item) + " (" + item.scalar + " stands alone)");
      } else if (item.kind == Kind::kScalar && key.take_item != nullptr) {
        Text(key.take_item, item, JoinIndex(path, i), key.allowed_item, key.item_names);
      } else {
        Refuse(item, JoinIndex(path, i), std::string(key.allowed_item));
      }
    }
    key.finish(effective_.config);
  }

  // A map that has all of its fields, and no others.
  void Entry(const ConfigKey& key, const YamlNode& item, const std::string& path) {
    std::vector<std::string> texts;
    for (const std::string_view field : key.fields) {
      const auto child = std::ranges::find(item.children, field, &YamlNode::key);
      if (child == item.children.end()) {
        faults_.push_back({file_, item.place, JoinPath(path, field), "nothing", std::string(key.allowed_item)});
      } else if (child->kind == Kind::kScalar) {
        texts.push_back(child->scalar);
      } else {
        Refuse(*child, JoinPath(path, field), "a text");
      }
    }
    for (const YamlNode& child : item.children) {
      if (std::ranges::find(key.fields, child.key) == key.fields.end()) {
        faults_.push_back({file_, child.key_place, JoinPath(path, child.key), "an unknown key",
                           "one of " + JoinWithCommas(key.fields) + DidYouMean(SuggestWord(child.key, key.fields))});
      }
    }
    if (texts.size() != key.fields.size()) {
      return;
    }
    if (const ParseResult verdict = key.take_fields(texts, effective_.config); !verdict.taken) {
      faults_.push_back({file_, item.place, path, verdict.reason, std::string(key.allowed_item)});
    }
  }

  void Text(ValueParser take, const YamlNode& node, const std::string& path, std::string_view allowed,
            std::span<const std::string_view> names) {
    const ParseResult verdict = take(node.scalar, effective_.config);
    if (!verdict.taken) {
      const std::string reason = verdict.reason.empty() ? "" : " (" + verdict.reason + ")";
      const std::string near = reason.empty() ? DidYouMean(SuggestWord(node.scalar, names)) : "";
      Refuse(node, path, std::string(allowed) + reason + near);
    }
  }

  void Refuse(const YamlNode& node, const std::string& path, std::string allowed) {
    if (node.kind != Kind::kInvalid) {
      faults_.push_back({file_, node.place, path, Found(node), std::move(allowed)});
    }
  }

  const std::string& file_;
  EffectiveConfig& effective_;
  std::vector<ConfigError> faults_;
};

}  // namespace

std::vector<ConfigError> CheckTree(const YamlNode& root, const std::string& file, EffectiveConfig& effective) {
  ConfigValidator check(file, effective);
  check.Section(root, "");
  return check.TakeFaults();
}

std::vector<ConfigError> CheckValue(const ConfigKey& key, const YamlNode& value, EffectiveConfig& effective) {
  const std::string no_file;
  ConfigValidator check(no_file, effective);
  check.Value(key, value);
  return check.TakeFaults();
}

std::vector<ConfigError> SetFromFlag(std::string_view flag, std::string_view path, std::span<const std::string> values,
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
  std::vector<ConfigError> faults = CheckValue(*key, node, effective);
  for (ConfigError& fault : faults) {
    fault.key = flag;
  }
  effective.origins[key->path] = {Origin::Kind::kFlag, std::string(flag), 0};
  return faults;
}

}  // namespace procevent
