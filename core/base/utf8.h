// Characters of text that may hold any bytes. Pure; for whoever shows such text.
#pragma once

#include <cstddef>
#include <string_view>

namespace procevent {

// How many bytes the first character of `text` has; 0 if they are no UTF-8 or there are none.
std::size_t Utf8Length(std::string_view text);

// The first character (valid UTF-8, `length` bytes) as a number.
char32_t CodePoint(std::string_view text, std::size_t length);

// Whether the first character (valid UTF-8, `length` bytes) may be shown as it is: no control character of any kind,
// none that turns the direction of text, breaks its line or has no width, and none that Unicode will never give out.
bool IsPrintable(std::string_view text, std::size_t length);

}  // namespace procevent
