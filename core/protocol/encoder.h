// Encodes connector requests, events and control messages into datagrams.
//
// Pure, but allocates. Used by the connector socket, the `encode` command and tests.
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
  kInvalidOperation = 9,  // the kernel registers the socket, does nothing else and sends an ACK with an error
};

// A request to the connector. The kernel returns `token` + 1 in its ACK. Every kernel accepts the 4-byte form.
Bytes EncodeRequest(ConnectorOperation operation, std::uint32_t token);
// The 8-byte form with an event mask, for Linux 6.6 and newer.
Bytes EncodeRequest(ConnectorOperation operation, EventMask mask, std::uint32_t token);

// One complete datagram. decode(encode(event)) == event.
Bytes EncodeEvent(const Event& event);

// A netlink message of this type and payload. The payload may be empty.
Bytes EncodeNetlink(std::uint16_t type, std::span<const std::byte> payload);
Bytes EncodeError(std::int32_t kernel_errno);  // ERROR message; 0 acknowledges

// A small datagram with correct length fields that decodes to a message with this outcome and content.
Bytes EncodeMessage(const Message& message);

}  // namespace procevent
