// Converts kernel messages to JSON lines and back: the format of `decode`, `encode` and `watch --json`. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/input_error.h"
#include "core/base/result.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

// One line of UTF-8 without a newline, for any message.
std::string FormatJsonLine(const Message& message);

// The same with the details of the event's process: the keys `command` and `user`. An empty user is left out.
std::string FormatJsonLine(const Event& event, const std::optional<CommName>& command, const std::string& user);

// The line between two events of a CPU where the kernel dropped events.
std::string FormatLossJsonLine(std::uint32_t lost, std::uint32_t cpu);

// Returns the datagram that decodes to this line. Strict: unknown, missing and duplicate keys, wrong types and values
// out of range are errors.
Result<Bytes, InputError> ParseJsonLine(std::string_view line);

}  // namespace procevent
