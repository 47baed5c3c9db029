#include "config/keys.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "config/near_miss.h"

namespace procevent {
namespace {

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

// Of all keys, and of the sections that are within others.
std::vector<std::string_view> Paths() {
  std::vector<std::string_view> paths;
  for (const ConfigKey& key : Schema()) {
    const std::string_view section = key.path.substr(0, key.path.rfind('.'));
    if (section.find('.') != std::string_view::npos && std::ranges::find(paths, section) == paths.end()) {
      paths.push_back(section);
    }
    paths.push_back(key.path);
  }
  return paths;
}

// "log.level" is written "log: {level: ...}".
std::string AsNested(std::string_view path) {
  std::string text;
  std::string end;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    text += std::string(path.substr(0, dot)) + ": {";
    end += '}';
    path.remove_prefix(dot + 1);
  }
  return text + std::string(path) + ": ..." + end;
}

}  // namespace

const ConfigKey* FindKey(std::string_view path) {
  const auto key = std::ranges::find(Schema(), path, &ConfigKey::path);
  return key == Schema().end() ? nullptr : &*key;
}

std::vector<std::string_view> NamesUnder(std::string_view section) {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : Schema()) {
    const std::string_view part = NextPart(key.path, section);
    if (!part.empty() && (names.empty() || names.back() != part)) {
      names.push_back(part);
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

std::string AllowedAlone(const ConfigKey& key) {
  if (key.take_item == nullptr) {
    return std::string(key.allowed);
  }
  return (key.names.empty() ? "" : Joined(key.names) + ", or ") + std::string(key.allowed_item);
}

std::string SuggestKey(std::string_view section, std::string_view name) {
  const std::vector<std::string_view> here = NamesUnder(section);
  if (const std::string_view near = Suggest(name, here); !near.empty()) {
    return std::string(near);
  }
  const std::string path = section.empty() ? std::string(name) : std::string(section) + '.' + std::string(name);
  if (name.find('.') != std::string_view::npos && (FindKey(path) != nullptr || !NamesUnder(path).empty())) {
    return AsNested(name);
  }
  return std::string(SuggestPath(name, Paths()));
}

}  // namespace procevent
