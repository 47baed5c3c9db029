// How a message is told in JSON that is no event: said once, for who writes it and for who reads it. Used by json_lines
// and json_datagram.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "core/protocol/decoder.h"

namespace procevent {

struct FaultForm {
  Outcome outcome;
  std::string_view error;
  std::string_view layer;  // of what is cut off
};
inline constexpr std::array kFaultForms{
    FaultForm{Outcome::kTruncatedNetlinkHeader, "truncated", "netlink"},
    FaultForm{Outcome::kTruncatedConnectorHeader, "truncated", "connector"},
    FaultForm{Outcome::kTruncatedEventHeader, "truncated", "header"},
    FaultForm{Outcome::kTruncatedEventBody, "truncated", "body"},
    FaultForm{Outcome::kForeignConnector, "wrong_connector", ""},
    FaultForm{Outcome::kOverrun, "overrun", ""},
    FaultForm{Outcome::kKernelError, "kernel", ""},  // and its errno
    FaultForm{Outcome::kReservedType, "reserved_type", ""},
    FaultForm{Outcome::kWrongLength, "wrong_length", ""},
};
inline constexpr std::array<std::string_view, 6> kErrors{"truncated", "wrong_connector", "overrun",
                                                         "kernel",    "reserved_type",   "wrong_length"};
inline constexpr std::array<std::string_view, 4> kLayers{"netlink", "connector", "header", "body"};

inline constexpr std::array<std::string_view, 3> kControls{"noop", "done", "ack"};
inline constexpr std::size_t kAckControl = 2;  // the two before it are indexed by Control

}  // namespace procevent
