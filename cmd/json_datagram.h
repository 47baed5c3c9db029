// A JSON line back to the bytes that say it: what `encode` reads. Pure; json_lines is the way there. Used by encode.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/protocol/encoder.h"

namespace procevent {

// One datagram that decodes to this line; or, in one line, what is wrong with it: the key, what was found, what is
// allowed. Strict: no key may be unknown, missing or there twice, and every value is of its type and within its bounds.
std::variant<Bytes, std::string> DatagramOf(std::string_view line);

}  // namespace procevent
