// Finds keys of the schema by path or section, and suggests the key, word or flag that a misspelled one resembles.
// All functions are pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/schema.h"

namespace procevent {

// nullptr: the schema has no such key.
const Option* FindOption(std::string_view key);
// The key, or the section at the top, that an earlier version called `path`. Empty if there is none.
std::string_view FindNewName(std::string_view path);
// `"groups.limit", the new name`: follows "expected" in an error.
std::string DescribeNewName(std::string_view name);

// The sections and keys directly under a section, in the schema's order. "" is the root: {"web", "source", ...}.
std::vector<std::string_view> NamesUnder(std::string_view section);

std::string JoinWords(std::span<const std::string_view> words, std::string_view separator);  // "web|source"
std::string JoinWithCommas(std::span<const std::string_view> words);                         // "web, source"

// Suggestions. They ignore case, and treat - as _. They are empty if no candidate, or more than one, is nearest.

// The number of edits that make one text of the other: a letter changed, removed, inserted, or swapped with the next.
std::size_t EditDistance(std::string_view one, std::string_view other);

// The word within a small distance: 1 for words of up to 5 letters, 2 for up to 12, 3 for longer ones.
std::string_view FindClosestWord(std::string_view word, std::span<const std::string_view> words);

// The closest word, or the only word that begins with `word`, if `word` has at least 3 letters.
std::string_view SuggestWord(std::string_view word, std::span<const std::string_view> words);

// The same for dotted paths. For a `path` without a dot, also the path with the closest last part.
std::string_view SuggestPath(std::string_view path, std::span<const std::string_view> paths);

// For an unknown key under a section: a name under that section, `log: {level: ...}` for a dotted name, or the path of
// a key in another section.
std::string SuggestKey(std::string_view section, std::string_view name);

// `; did you mean "log.level"?`, to append to a message. Empty for an empty suggestion.
std::string DidYouMean(std::string_view suggestion);

}  // namespace procevent
