// FOLDED: near_miss.h, keys.h
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/schema.h"

namespace procevent {

// Which of the words there are somebody meant who wrote another. Pure; used wherever a word is unknown, by cmd for
// flags. Never a guess: only one that is nearer than all others. Capitals and - for _ make no difference.

// How many letters are to be changed, left out, put in or swapped with their neighbour to make one of the other.
std::size_t EditDistance(std::string_view one, std::string_view other);

// The word within a small distance: 1 for words of up to 5 letters, 2 up to 12, else 3. Empty: there is none, or two.
std::string_view FindClosestWord(std::string_view word, std::span<const std::string_view> words);

// The same, or the only one that begins with it, if it has 3 letters or more.
std::string_view SuggestWord(std::string_view word, std::span<const std::string_view> words);

// The same for words of parts between dots, or, for a path of one part, the one whose last part it nearly is.
std::string_view SuggestPath(std::string_view path, std::span<const std::string_view> paths);

// `; did you mean "log.level"?`, to put behind a message; empty for nothing.
std::string DidYouMean(std::string_view suggestion);

// The schema's keys as a tree: sections, what is under them, and which key somebody meant. Used by the check, by the
// environment, and by cmd for flags that are none.

// nullptr: there is none.
const ConfigKey* FindKey(std::string_view path);

// The sections and keys right under a section, "" for the whole, in the schema's order: {"web", "source", ...}.
std::vector<std::string_view> NamesUnder(std::string_view section);

std::string JoinWithCommas(std::span<const std::string_view> words);  // "web, source"

// What a text may be that stands for the key alone, not in a list: "all, or an address or a network like 10.0.0.0/8".
std::string DescribeAllowedScalar(const ConfigKey& key);

// For a name that is none of those under the section: the one it nearly is, the way to write one with dots, or the path
// of the key that stands elsewhere. Empty: nobody knows.
std::string SuggestKey(std::string_view section, std::string_view name);

}  // namespace procevent
