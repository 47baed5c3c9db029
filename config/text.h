// Text from outside, made safe to print. Every echo of a user's bytes goes through here: faults in config, and what
// cmd logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

// As it is, but what may not be printed becomes \xNN, byte by byte, and the rest is cut off after `limit` bytes
// ("...").
std::string Printable(std::string_view text, std::size_t limit = 80);

// The same between quotes; quotes and backslashes inside get a backslash.
std::string Quoted(std::string_view text, std::size_t limit = 80);

}  // namespace procevent
