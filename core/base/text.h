// FOLDED: ascii.h, words.h, utf8.h
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

namespace procevent {

// Letters and digits of ASCII, whatever the locale. Pure; anybody may use it.

constexpr bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The letter in small or in capitals; all else is as it was.
constexpr char ToLowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char ToUpperAscii(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Words and numbers of a text, as the kernel and the environment write them. Pure; anybody may use it.

// Takes the next word of the line off, up to a blank; empty at the end of the line.
inline std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

// The number that the whole word is.
template <typename Number>
std::optional<Number> ParseInteger(std::string_view word) {
  Number number{};
  const char* const end = word.data() + word.size();
  const auto [stopped, fault] = std::from_chars(word.data(), end, number);
  return fault == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

// Characters of text that may hold any bytes. Pure; for whoever shows such text.

// How many bytes the first character of `text` has; 0 if they are no UTF-8 or there are none.
std::size_t Utf8Length(std::string_view text);

// The first character (valid UTF-8, `length` bytes) as a number.
char32_t CodePoint(std::string_view text, std::size_t length);

// Whether the first character (valid UTF-8, `length` bytes) may be shown as it is: no control character of any kind,
// none that turns the direction of text, breaks its line or has no width, and none that Unicode will never give out.
bool IsPrintable(std::string_view text, std::size_t length);

}  // namespace procevent
