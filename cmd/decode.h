// `procevent_exporter decode`: datagrams to JSON lines. Used by Run.
#pragma once

#include <cstdint>
#include <string>

namespace procevent {

enum class DecodeFrom : std::uint8_t { kCapture, kHex };

// One JSON object for each message of the file, in order; "-" is the standard input. A datagram that is malformed is
// answered, too; what cannot be read, or is not hex, is told on the standard error, and makes the exit code 1.
int Decode(const std::string& file, DecodeFrom from);

}  // namespace procevent
