// FOLDED: json_lines.h, json_datagram.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

// What the kernel says as JSON, one object a message: what `decode` prints. Pure; json_datagram is the way back. Used
// by decode and by watch.

// Without the line's end; one line of UTF-8, whatever the message holds.
std::string FormatJsonLine(const Message& message);

// An event with what is known besides of the process that it is about: `command`, and `user`, which may be empty.
std::string FormatJsonLine(const Event& event, const std::optional<CommName>& command, const std::string& user);

// What stands between events that do not follow on each other.
std::string FormatLossJsonLine(std::uint32_t lost, std::uint32_t cpu);

// A JSON line back to the bytes that say it: what `encode` reads. Pure; json_lines is the way there. Used by encode.

// One datagram that decodes to this line; or, in one line, what is wrong with it: the key, what was found, what is
// allowed. Strict: no key may be unknown, missing or there twice, and every value is of its type and within its bounds.
std::variant<Bytes, std::string> ParseJsonLine(std::string_view line);

}  // namespace procevent
