// A second opinion on UTF-8, written after the table of the Unicode standard (3-7, well-formed byte sequences) and
// sharing nothing with the product. For the tests of labels and their fuzzer.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace procevent {

// The length of the well-formed sequence that a text begins with; 0 if there is none.
std::size_t WellFormedLength(std::string_view text);
bool IsWellFormed(std::string_view text);

// The code points of a well-formed text.
std::vector<char32_t> CodePointsOf(std::string_view text);

// What no label may show: C0, DEL and C1.
bool IsControl(char32_t code);

}  // namespace procevent
