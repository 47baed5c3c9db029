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

constexpr std::size_t kMaxWordBytes = 64;  // a longer word gets no suggestion; bounds the cost of EditDistance
constexpr std::size_t kNotFound = static_cast<std::size_t>(-1);

// Lower case, with _ for -.
std::string Normalize(std::string_view word) {
  std::string normalized(word);
  std::ranges::transform(normalized, normalized.begin(), [](char c) { return c == '-' ? '_' : ToLowerAscii(c); });
  return normalized;
}

// The largest distance at which a word is suggested.
std::size_t MaxDistance(std::string_view word) {
  constexpr std::size_t kShort = 5;
  constexpr std::size_t kMedium = 12;
  if (word.size() <= kShort) {
    return 1;
  }
  return word.size() <= kMedium ? 2 : 3;
}

// The index of the closest word; kNotFound if none is close enough, or two are equally close.
std::size_t FindClosestIndex(std::string_view word, std::span<const std::string_view> words) {
  if (word.empty() || word.size() > kMaxWordBytes) {
    return kNotFound;
  }
  const std::string normalized = Normalize(word);
  std::size_t closest = kNotFound;
  std::size_t min_distance = kNotFound;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t max_distance = MaxDistance(words[i]);
    if (normalized.size() > words[i].size() + max_distance || words[i].size() > normalized.size() + max_distance) {
      continue;
    }
    const std::size_t distance = EditDistance(normalized, Normalize(words[i]));
    if (distance > max_distance || distance > min_distance) {
      continue;
    }
    closest = distance == min_distance ? kNotFound : i;
    min_distance = distance;
  }
  return closest;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('.') + 1); }

// The first part of `path` after `section`. Empty if the key is not in that section.
std::string_view NextPart(std::string_view path, std::string_view section) {
  if (!section.empty()) {
    if (!path.starts_with(section) || path.substr(section.size()).substr(0, 1) != ".") {
      return {};
    }
    path.remove_prefix(section.size() + 1);
  }
  return path.substr(0, path.find('.'));
}

// The paths of all keys and of the nested sections.
std::vector<std::string_view> KnownPaths() {
  std::vector<std::string_view> paths;
  for (const Option& option : Schema()) {
    const std::string_view section = option.key.substr(0, option.key.rfind('.'));
    if (section.find('.') != std::string_view::npos && std::ranges::find(paths, section) == paths.end()) {
      paths.push_back(section);
    }
    paths.push_back(option.key);
  }
  return paths;
}

// "log: {level: ...}" for "log.level".
std::string FormatNested(std::string_view path) {
  std::string text;
  std::string closing;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    text += std::string(path.substr(0, dot)) + ": {";
    closing += '}';
    path.remove_prefix(dot + 1);
  }
  return text + std::string(path) + ": ..." + closing;
}

}  // namespace

std::size_t EditDistance(std::string_view one, std::string_view other) {
  // The rows of the dynamic programming table: row[j] is the distance of the first i bytes of `one` from the first j of
  // `other`. A swap needs the row before the previous one.
  std::vector<std::size_t> before_previous;
  std::vector<std::size_t> previous(other.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::vector<std::size_t> row{i};
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t substituted = previous[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      std::size_t distance = std::min({substituted, previous[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) {
        distance = std::min(distance, before_previous[j - 2] + 1);
      }
      row.push_back(distance);
    }
    before_previous = std::exchange(previous, std::move(row));
  }
  return previous.back();
}

std::string_view FindClosestWord(std::string_view word, std::span<const std::string_view> words) {
  const std::size_t closest = FindClosestIndex(word, words);
  return closest == kNotFound ? std::string_view{} : words[closest];
}

std::string_view SuggestWord(std::string_view word, std::span<const std::string_view> words) {
  constexpr std::size_t kMinPrefixBytes = 3;
  const std::string_view closest = FindClosestWord(word, words);
  if (!closest.empty() || word.size() < kMinPrefixBytes) {
    return closest;
  }
  const std::string normalized = Normalize(word);
  const auto has_prefix = [&](std::string_view candidate) { return Normalize(candidate).starts_with(normalized); };
  const auto first = std::ranges::find_if(words, has_prefix);
  if (first == words.end() || std::find_if(std::next(first), words.end(), has_prefix) != words.end()) {
    return {};
  }
  return *first;
}

std::string_view SuggestPath(std::string_view path, std::span<const std::string_view> paths) {
  const std::string_view suggestion = SuggestWord(path, paths);
  if (!suggestion.empty() || path.find('.') != std::string_view::npos) {
    return suggestion;
  }
  std::vector<std::string_view> last_parts(paths.size());
  std::ranges::transform(paths, last_parts.begin(), LastPart);
  const std::size_t closest = FindClosestIndex(path, last_parts);
  return closest == kNotFound ? std::string_view{} : paths[closest];
}

std::string DidYouMean(std::string_view suggestion) {
  return suggestion.empty() ? "" : "; did you mean \"" + std::string(suggestion) + "\"?";
}

const Option* FindOption(std::string_view key) {
  const auto option = std::ranges::find(Schema(), key, &Option::key);
  return option == Schema().end() ? nullptr : &*option;
}

std::string_view FindNewName(std::string_view path) {
  for (const Option& option : Schema()) {
    if (!path.empty() && option.former_key == path) {
      return option.key;
    }
  }
  if (path.find('.') != std::string_view::npos || !NamesUnder(path).empty()) {
    return {};
  }
  const auto moved = std::ranges::find_if(
      Schema(), [path](const Option& option) { return !NextPart(option.former_key, path).empty(); });
  return moved == Schema().end() ? std::string_view{} : moved->key.substr(0, moved->key.find('.'));
}

std::string DescribeNewName(std::string_view name) { return '"' + std::string(name) + "\", the new name"; }

std::vector<std::string_view> NamesUnder(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Option& option : Schema()) {
    const std::string_view part = NextPart(option.key, section);
    if (!part.empty() && (names.empty() || names.back() != part)) {
      names.push_back(part);
    }
  }
  return names;
}

std::string JoinWords(std::span<const std::string_view> words, std::string_view separator) {
  std::string text;
  for (const std::string_view word : words) {
    text += (text.empty() ? "" : std::string(separator)).append(word);
  }
  return text;
}

std::string JoinWithCommas(std::span<const std::string_view> words) { return JoinWords(words, ", "); }

std::string SuggestKey(std::string_view section, std::string_view name) {
  if (const std::string_view sibling = SuggestWord(name, NamesUnder(section)); !sibling.empty()) {
    return std::string(sibling);
  }
  const std::string path = section.empty() ? std::string(name) : std::string(section) + '.' + std::string(name);
  if (name.find('.') != std::string_view::npos && (FindOption(path) != nullptr || !NamesUnder(path).empty())) {
    return FormatNested(name);
  }
  return std::string(SuggestPath(name, KnownPaths()));
}

}  // namespace procevent
