// How faults write the way to a value: `source.events[2]`. Pure; used inside config.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

// A key that is no plain word is quoted, so that a dot in it is not taken for a level.
std::string JoinPath(const std::string& path, std::string_view key);

// Counts from 0.
std::string JoinIndex(const std::string& path, std::size_t index);

}  // namespace procevent
