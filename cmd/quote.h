// Text of any bytes as a JSON string, which logfmt reads too. Pure; used by the log and by doctor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

// With its quotes. Whatever the text holds, this is one line of valid UTF-8 and can be read back; one that is longer
// than about `most_bytes` ends in "...".
std::string Quote(std::string_view text, std::size_t most_bytes);

}  // namespace procevent
