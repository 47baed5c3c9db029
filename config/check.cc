#include "config/check.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "config/key_path.h"
#include "config/schema.h"
#include "config/text.h"

namespace procevent {
namespace {

using Kind = YamlNode::Kind;

const ConfigKey* FindKey(std::string_view path) {
  const auto key = std::ranges::find(Schema(), path, &ConfigKey::path);
  return key == Schema().end() ? nullptr : &*key;
}

// The part of a key's path that comes next under `section`; empty if the key is not there.
std::string_view NextPart(std::string_view path, std::string_view section) {
  if (!section.empty()) {
    if (!path.starts_with(section) || path.substr(section.size()).substr(0, 1) != ".") {
      return {};
    }
    path.remove_prefix(section.size() + 1);
  }
  return path.substr(0, path.find('.'));
}

// "web, source, reader, log".
std::string KeysUnder(std::string_view section) {
  std::string names;
  std::string_view last;
  for (const ConfigKey& key : Schema()) {
    const std::string_view part = NextPart(key.path, section);
    if (!part.empty() && part != std::exchange(last, part)) {
      names += (names.empty() ? "" : ", ") + std::string(part);
    }
  }
  return names;
}

std::string Joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

bool HasKeyUnder(std::string_view section, std::string_view name) {
  return std::ranges::any_of(
      Schema(), [&](const ConfigKey& key) { return !name.empty() && NextPart(key.path, section) == name; });
}

std::string Found(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kScalar:
      return Quoted(node.scalar);
    case Kind::kList:
      return node.children.empty() ? "an empty list" : "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kNothing:
    case Kind::kRefused:
      break;
  }
  return "an empty value";
}

class Check {
 public:
  Check(const std::string& file, Config& config) : file_(file), config_(config) {}

  void Section(const YamlNode& node, const std::string& path) {
    if (node.kind == Kind::kNothing) {
      return;  // all in it is as by default
    }
    if (node.kind != Kind::kMap) {
      Refuse(node, path, "a map of " + KeysUnder(path));
      return;
    }
    for (const YamlNode& child : node.children) {
      const std::string child_path = JoinPath(path, child.key);
      if (!HasKeyUnder(path, child.key)) {
        faults_.push_back({file_, child.key_place, child_path, "an unknown key", "one of " + KeysUnder(path)});
      } else if (const ConfigKey* key = FindKey(child_path)) {
        Value(*key, child);
      } else {
        Section(child, child_path);
      }
    }
  }

  void Value(const ConfigKey& key, const YamlNode& node) {
    const std::string path(key.path);
    if (node.kind == Kind::kScalar && key.take != nullptr) {
      Text(key.take, node, path, key.allowed);
    } else if (node.kind == Kind::kList && (key.may_be_empty || !node.children.empty()) && key.most_items != 0) {
      List(key, node, path);
    } else {
      Refuse(node, path, std::string(key.allowed));
    }
  }

  std::vector<Fault> TakeFaults() { return std::move(faults_); }

 private:
  void List(const ConfigKey& key, const YamlNode& node, const std::string& path) {
    if (node.children.size() > key.most_items) {
      faults_.push_back(
          {file_, node.place, path, std::to_string(node.children.size()) + " items", std::string(key.allowed)});
      return;
    }
    key.start(config_);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const YamlNode& item = node.children[i];
      if (item.kind == Kind::kMap && key.take_fields != nullptr) {
        Entry(key, item, JoinIndex(path, i));
      } else if (item.kind == Kind::kScalar && key.take_item != nullptr) {
        Text(key.take_item, item, JoinIndex(path, i), key.allowed_item);
      } else {
        Refuse(item, JoinIndex(path, i), std::string(key.allowed_item));
      }
    }
    if (key.finish != nullptr) {
      key.finish(config_);
    }
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
        faults_.push_back(
            {file_, child.key_place, JoinPath(path, child.key), "an unknown key", "one of " + Joined(key.fields)});
      }
    }
    if (texts.size() != key.fields.size()) {
      return;
    }
    if (const Verdict verdict = key.take_fields(texts, config_); !verdict.taken) {
      faults_.push_back({file_, item.place, path, verdict.reason, std::string(key.allowed_item)});
    }
  }

  void Text(Take take, const YamlNode& node, const std::string& path, std::string_view allowed) {
    Judge(take(node.scalar, config_), node, path, allowed);
  }

  void Judge(const Verdict& verdict, const YamlNode& node, const std::string& path, std::string_view allowed) {
    if (!verdict.taken) {
      Refuse(node, path, std::string(allowed) + (verdict.reason.empty() ? "" : " (" + verdict.reason + ")"));
    }
  }

  void Refuse(const YamlNode& node, const std::string& path, std::string allowed) {
    if (node.kind != Kind::kRefused) {
      faults_.push_back({file_, node.place, path, Found(node), std::move(allowed)});
    }
  }

  const std::string& file_;
  Config& config_;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> CheckTree(const YamlNode& root, const std::string& file, Config& config) {
  Check check(file, config);
  check.Section(root, "");
  return check.TakeFaults();
}

std::vector<Fault> SetFromFlag(std::string_view flag, std::string_view path, std::span<const std::string> values,
                               Config& config) {
  const ConfigKey* const key = FindKey(path);
  assert(key != nullptr);
  YamlNode node;
  node.kind = Kind::kList;
  for (const std::string& value : values) {
    node.children.emplace_back().kind = Kind::kScalar;
    node.children.back().scalar = value;
  }
  if (key->most_items == 0 && values.size() == 1) {
    node = YamlNode(node.children.front());
  }
  const std::string no_file;
  Check check(no_file, config);
  check.Value(*key, node);
  std::vector<Fault> faults = check.TakeFaults();
  for (Fault& fault : faults) {
    fault.key = flag;
  }
  return faults;
}

}  // namespace procevent
