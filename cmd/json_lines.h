// What the kernel says as JSON, one object a message: what `decode` prints. Pure; json_datagram is the way back. Used
// by decode and by watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/protocol/comm_name.h"
#include "core/protocol/decoder.h"

namespace procevent {

// Without the line's end; one line of UTF-8, whatever the message holds.
std::string JsonLineOf(const Message& message);

// An event with what is known besides of the process that it is about: `command`, and `user`, which may be empty.
std::string JsonLineOf(const Event& event, const std::optional<CommName>& command, const std::string& user);

// What stands between events that do not follow on each other.
std::string JsonLineOfLoss(std::uint32_t lost, std::uint32_t cpu);

}  // namespace procevent
