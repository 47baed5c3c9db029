// Words and numbers of a text, as the kernel and the environment write them. Pure; anybody may use it.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace procevent {

// Takes the next word of the line off, up to a blank; empty at the end of the line.
inline std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

// The number that the whole word is.
template <typename Number>
std::optional<Number> NumberOf(std::string_view word) {
  Number number{};
  const char* const end = word.data() + word.size();
  const auto [stopped, fault] = std::from_chars(word.data(), end, number);
  return fault == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

}  // namespace procevent
