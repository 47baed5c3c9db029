#include "config/schema/keys.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::size_t kMostBytes = 64;  // longer words are near to none
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string Plain(std::string_view word) {
  std::string plain(word);
  std::ranges::transform(plain, plain.begin(), [](char c) { return c == '-' ? '_' : ToLowerAscii(c); });
  return plain;
}

std::size_t Tolerance(std::string_view word) {
  constexpr std::size_t kShort = 5;
  constexpr std::size_t kMiddling = 12;
  if (word.size() <= kShort) {
    return 1;
  }
  return word.size() <= kMiddling ? 2 : 3;
}

// The only word of the least distance that is small enough; kNone.
std::size_t Nearest(std::string_view word, std::span<const std::string_view> words) {
  if (word.empty() || word.size() > kMostBytes) {
    return kNone;
  }
  const std::string plain = Plain(word);
  std::size_t nearest = kNone;
  std::size_t least = kNone;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t tolerance = Tolerance(words[i]);
    if (plain.size() > words[i].size() + tolerance || words[i].size() > plain.size() + tolerance) {
      continue;
    }
    const std::size_t distance = EditDistance(plain, Plain(words[i]));
    if (distance > tolerance || distance > least) {
      continue;
    }
    nearest = distance == least ? kNone : i;
    least = distance;
  }
  return nearest;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::size_t EditDistance(std::string_view one, std::string_view other) {
  // Rows of the usual table: what each beginning of `other` is away from one beginning of `one`, and the two before it.
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(other.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::vector<std::size_t> row{i};
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t changed = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      std::size_t distance = std::min({changed, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) {
        distance = std::min(distance, before_last[j - 2] + 1);
      }
      row.push_back(distance);
    }
    before_last = std::exchange(last, std::move(row));
  }
  return last.back();
}

std::string_view FindClosestWord(std::string_view word, std::span<const std::string_view> words) {
  const std::size_t nearest = Nearest(word, words);
  return nearest == kNone ? std::string_view{} : words[nearest];
}

std::string_view SuggestWord(std::string_view word, std::span<const std::string_view> words) {
  constexpr std::size_t kFewestBytes = 3;
  const std::string_view near = FindClosestWord(word, words);
  if (!near.empty() || word.size() < kFewestBytes) {
    return near;
  }
  const std::string plain = Plain(word);
  const auto begins = [&](std::string_view candidate) { return Plain(candidate).starts_with(plain); };
  const auto longer = std::ranges::find_if(words, begins);
  if (longer == words.end() || std::find_if(std::next(longer), words.end(), begins) != words.end()) {
    return {};
  }
  return *longer;
}

std::string_view SuggestPath(std::string_view path, std::span<const std::string_view> paths) {
  const std::string_view suggestion = SuggestWord(path, paths);
  if (!suggestion.empty() || path.find('.') != std::string_view::npos) {
    return suggestion;
  }
  std::vector<std::string_view> last_parts(paths.size());
  std::ranges::transform(paths, last_parts.begin(), LastPart);
  const std::size_t nearest = Nearest(path, last_parts);
  return nearest == kNone ? std::string_view{} : paths[nearest];
}

std::string DidYouMean(std::string_view suggestion) {
  return suggestion.empty() ? "" : "; did you mean \"" + std::string(suggestion) + "\"?";
}

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

std::string JoinWithCommas(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

std::string DescribeAllowedScalar(const ConfigKey& key) {
  if (key.take_item == nullptr) {
    return std::string(key.allowed);
  }
  return (key.names.empty() ? "" : JoinWithCommas(key.names) + ", or ") + std::string(key.allowed_item);
}

std::string SuggestKey(std::string_view section, std::string_view name) {
  const std::vector<std::string_view> here = NamesUnder(section);
  if (const std::string_view near = SuggestWord(name, here); !near.empty()) {
    return std::string(near);
  }
  const std::string path = section.empty() ? std::string(name) : std::string(section) + '.' + std::string(name);
  if (name.find('.') != std::string_view::npos && (FindKey(path) != nullptr || !NamesUnder(path).empty())) {
    return AsNested(name);
  }
  return std::string(SuggestPath(name, Paths()));
}

}  // namespace procevent
