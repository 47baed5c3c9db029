// Formats the records of this program in a capture as JSON lines, for `decode`. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace procevent {

// One line of UTF-8 without a newline, whose first key is `record`. `payload` is that of a record of any version: one
// of a newer version is {"record":"unknown"}.
std::string FormatRecordJsonLine(std::span<const std::byte> payload);

// Whether a line is that of a record of any version: an object whose first key is `record`, with a name as its value.
bool IsRecordJsonLine(std::string_view line);

}  // namespace procevent
