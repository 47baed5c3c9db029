// Bytes as hex digits, and back. Pure; used by decode and encode.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/protocol/encoder.h"

namespace procevent {

// Two small digits a byte, nothing between them.
std::string HexOf(std::span<const std::byte> bytes);

// Nothing if it is an odd number of digits, or anything else stands among them. Capitals are digits too.
std::optional<Bytes> BytesOfHex(std::string_view digits);

}  // namespace procevent
