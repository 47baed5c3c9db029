// Which of the words there are somebody meant who wrote another. Pure; used wherever a word is unknown, by cmd for
// flags. Never a guess: only one that is nearer than all others. Capitals and - for _ make no difference.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace procevent {

// How many letters are to be changed, left out, put in or swapped with their neighbour to make one of the other.
std::size_t EditDistance(std::string_view one, std::string_view other);

// The word within a small distance: 1 for words of up to 5 letters, 2 up to 12, else 3. Empty: there is none, or two.
std::string_view NearMiss(std::string_view word, std::span<const std::string_view> words);

// The same, or the only one that begins with it, if it has 3 letters or more.
std::string_view Suggest(std::string_view word, std::span<const std::string_view> words);

// The same for words of parts between dots, or, for a path of one part, the one whose last part it nearly is.
std::string_view SuggestPath(std::string_view path, std::span<const std::string_view> paths);

// `; did you mean "log.level"?`, to put behind a message; empty for nothing.
std::string DidYouMean(std::string_view suggestion);

}  // namespace procevent
