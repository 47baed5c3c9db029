// Events, requests and whatever else a datagram can say, to bytes: what the connector socket sends, what `encode`
// prints, and what tests are made of. Pure; allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"

namespace procevent {

using Bytes = std::vector<std::byte>;

enum class ConnectorOperation : std::uint32_t {
  kListen = 1,
  kIgnore = 2,
  kInvalidOperation = 9,  // the kernel takes note of the socket, does nothing, and sends an ACK with an error
};

// A request to the connector; `token` comes back in its ACK as token + 1.
Bytes EncodeRequest(ConnectorOperation operation, std::uint32_t token);  // the 4-byte form, every kernel
Bytes EncodeRequest(ConnectorOperation operation, EventMask mask,
                    std::uint32_t token);  // the 8-byte form, 6.6 and newer

// One whole datagram. decode(encode(event)) == event.
Bytes EncodeEvent(const Event& event);

// Control messages: a netlink header of this type around this payload (which may be empty).
Bytes EncodeNetlink(std::uint16_t type, std::span<const std::byte> payload);
Bytes EncodeError(std::int32_t kernel_errno);  // ERROR: 0 acknowledges

// A small datagram that says this and no more, with lengths that are true: what decodes to a message like this one.
Bytes EncodeMessage(const Message& message);

}  // namespace procevent
