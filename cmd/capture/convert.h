// Implements `procevent_exporter decode` and `encode`: converts datagrams to JSON lines and back.
#pragma once

#include <cstdint>
#include <string>

namespace procevent {

enum class DecodeInput : std::uint8_t { kCapture, kHex };

// Both commands drop all privilege once the input is open.

// Prints one JSON object for each message and each record of the file, in order, "-" is the standard input. A malformed
// datagram is printed as an error object and does not change the exit code. An unreadable input, or one that is not
// hex, is reported on the standard error with exit code 1.
int Decode(const std::string& file, DecodeInput input);

// Prints one datagram in hex for each JSON line in the format of decode, "-" is the standard input. Skips records. An
// invalid line is reported on the standard error with exit code 1.
int Encode(const std::string& file);

}  // namespace procevent
