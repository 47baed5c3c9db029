// What no YAML parser should be shown: it has its own ideas of bytes that are no text. Pure; used by ParseYaml.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/fault.h"

namespace procevent {

// The first place that is not printable UTF-8, a blank or the end of a line. A byte-order mark is one.
std::optional<Fault> FindUnreadable(std::string_view text, const std::string& file);

}  // namespace procevent
