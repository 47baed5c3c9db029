// Implements `procevent_exporter decode` and `encode`: converts datagrams to JSON lines and back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace procevent {

// Converts one line and appends the result to `out`. Returns what is wrong with the line, or an empty text.
using LineConverter = std::function<std::string(std::string_view line, std::string& out)>;

// Converts each line of the file, "-" is the standard input. Results go to the standard output, errors as FILE:LINE to
// the standard error. Blank lines are skipped. An invalid line does not stop the conversion. Each result is written
// before the next read waits. Returns the exit code: 1 if a line was invalid, or reading or writing failed.
int ConvertLines(const std::string& file, const LineConverter& convert);

enum class DecodeInput : std::uint8_t { kCapture, kHex };

// Prints one JSON object for each message of the file, in order, "-" is the standard input. A malformed datagram is
// printed as an error object and does not change the exit code. An unreadable input, or one that is not hex, is
// reported on the standard error with exit code 1.
int Decode(const std::string& file, DecodeInput input);

// Prints one datagram in hex for each JSON line in the format of decode, "-" is the standard input. An invalid line is
// reported on the standard error with exit code 1.
int Encode(const std::string& file);

}  // namespace procevent
