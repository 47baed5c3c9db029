// Checks UTF-8 by table 3-7 of the Unicode standard (well-formed byte sequences). It shares no code with the product,
// so that the tests of labels and their fuzzer check it independently.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace procevent {

// Returns the length of the well-formed sequence at the beginning of a text, or 0 if there is none.
std::size_t WellFormedLength(std::string_view text);
bool IsWellFormed(std::string_view text);

// Requires a well-formed text.
std::vector<char32_t> CodePointsOf(std::string_view text);

// Whether the code point is in C0, DEL or C1, which no label may contain.
bool IsControl(char32_t code);

}  // namespace procevent
