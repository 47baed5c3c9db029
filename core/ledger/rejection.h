// Why a message was not booked as an event. Each reason has its own counter, and its own label.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/protocol/decoder.h"

namespace procevent {

enum class Rejection : std::uint8_t {
  kForeignSender,  // not from the kernel: nl_pid was not 0
  kOversized,      // longer than any datagram of the connector; not decoded
  kKernelError,
  kOverrun,
  kReservedType,
  kForeignConnector,
  kTruncatedNetlinkHeader,
  kTruncatedConnectorHeader,
  kTruncatedEventHeader,
  kTruncatedEventBody,
  kWrongLength,
  kRepeated,  // both sockets of a changeover delivered it; booked once
};
inline constexpr std::size_t kRejections = 12;
inline constexpr std::array<std::string_view, kRejections> kRejectionNames{"foreign_sender",
                                                                           "oversized",
                                                                           "kernel_error",
                                                                           "overrun",
                                                                           "reserved_type",
                                                                           "foreign_connector",
                                                                           "truncated_netlink_header",
                                                                           "truncated_connector_header",
                                                                           "truncated_event_header",
                                                                           "truncated_event_body",
                                                                           "wrong_length",
                                                                           "repeated"};

// The rejection that an outcome is; nothing for events, control messages and acknowledgements.
std::optional<Rejection> RejectionOf(Outcome outcome);

}  // namespace procevent
