// Parses ASCII words and numbers, and escapes text for output. Independent of the locale. All functions are pure.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace procevent {

constexpr bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Other characters stay unchanged.
constexpr char ToLowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char ToUpperAscii(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Removes and returns the next word of the line, up to a blank. Returns an empty word at the end of the line.
inline std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

// Parses the whole word as a number, in base 16 with digits of either case. Returns nothing if any other character is
// present.
template <typename Number>
std::optional<Number> ParseInteger(std::string_view word, int base = 10) {
  Number number{};
  const char* const end = word.data() + word.size();
  const auto [stopped, fault] = std::from_chars(word.data(), end, number, base);
  return fault == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

// The lower-case hex digit of the lowest four bits.
constexpr char HexDigit(std::uint32_t value) { return "0123456789abcdef"[value & 0xFU]; }

// Appends the lowest `digits` hex digits of the value.
inline void AppendHex(std::string& out, std::uint32_t value, unsigned digits) {
  while (digits-- > 0) {
    out += HexDigit(value >> 4 * digits);
  }
}

// Length in bytes of the first character of `text`, or 0 if the text is empty or not valid UTF-8 there.
std::size_t Utf8Length(std::string_view text);

// The position of the first byte that is not valid UTF-8, or npos.
std::size_t FindInvalidUtf8(std::string_view text);

// Code point of the first character, which must be valid UTF-8 of `length` bytes.
char32_t CodePoint(std::string_view text, std::size_t length);

// Whether the first character, valid UTF-8 of `length` bytes, is safe to show unescaped. False for control characters,
// and for characters that change the text direction, break the line or have no width. Also false for noncharacters.
bool IsPrintable(std::string_view text, std::size_t length);

// A printable character, or \xNN for a byte that is not part of one.
class PrintablePiece {
 public:
  // Removes the character or byte from the start of `text`, which must not be empty. Allocates nothing.
  explicit PrintablePiece(std::string_view& text);

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 4> bytes_{};  // a character of UTF-8 has four bytes at most
  std::size_t size_ = 0;
};

// Replaces each byte that is not printable by \xNN, and the rest after `limit` bytes by "...".
std::string EscapeUnprintable(std::string_view text, std::size_t limit = 80);
// The same, with quotes around the text and a backslash before each quote and backslash in it.
std::string QuotePrintable(std::string_view text, std::size_t limit = 80);

// "SIGKILL" for 9. Real-time signals are named relative to SIGRTMIN, as in glibc. A signal without a name is "SIG" and
// its number.
std::string SignalName(unsigned signal);

}  // namespace procevent
