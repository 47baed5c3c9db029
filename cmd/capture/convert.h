// FOLDED: answer_lines.h, decode.h, encode.h
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace procevent {

// What `decode --hex` and `encode` have in common: each line of a file is answered on the standard output, or refused
// on the standard error. Used by those.

// Appends what one line is answered with; returns what is wrong with it, empty if nothing is.
using LineConverter = std::function<std::string(std::string_view line, std::string& out)>;

// "-" is the standard input. Blank lines are passed over; a wrong one is told as FILE:LINE, if there are not too many,
// and the next one is answered. Each is answered before more is waited for. The exit code: 0, or 1 if a line was wrong,
// or not all could be read.
int ConvertLines(const std::string& file, const LineConverter& answer);

// `procevent_exporter decode`: datagrams to JSON lines. Used by Run.

enum class DecodeInput : std::uint8_t { kCapture, kHex };

// One JSON object for each message of the file, in order; "-" is the standard input. A datagram that is malformed is
// answered, too; what cannot be read, or is not hex, is told on the standard error, and makes the exit code 1.
int Decode(const std::string& file, DecodeInput from);

// `procevent_exporter encode`: JSON lines, as decode prints them, to datagrams in hex. Used by Run.

// One datagram a line; "-" is the standard input. What is no line of decode's is told on the standard error, and makes
// the exit code 1.
int Encode(const std::string& file);

}  // namespace procevent
