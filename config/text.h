// Text from outside, made safe to print. Every echo of a user's bytes goes through here: faults in config, and what
// cmd logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

// How many bytes the first character of `text` has; 0 if they are no UTF-8 or there are none.
std::size_t Utf8Length(std::string_view text);

// The first character (valid UTF-8, `length` bytes) as a number.
char32_t CodePoint(std::string_view text, std::size_t length);

// Whether the first character (valid UTF-8, `length` bytes) may be printed as it is: no control character of any kind,
// none that turns the direction of text or breaks its line.
bool IsPrintable(std::string_view text, std::size_t length);

// As it is, but what may not be printed becomes \xNN, byte by byte, and the rest is cut off after `limit` bytes
// ("...").
std::string Printable(std::string_view text, std::size_t limit = 80);

// The same between quotes; quotes and backslashes inside get a backslash.
std::string Quoted(std::string_view text, std::size_t limit = 80);

}  // namespace procevent
