// The table of all options.
#pragma once

#include <span>

#include "config/schema/option.h"

namespace procevent {

// Nested sections are contiguous, and options are in the order in which they are documented.
std::span<const Option> Schema();

}  // namespace procevent
