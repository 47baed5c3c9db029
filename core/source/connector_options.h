// What the connector socket can be told. The configuration fills it in.
#pragma once

#include <cstdint>

#include "core/protocol/event_mask.h"

namespace procevent {

struct ConnectorOptions {
  std::uint32_t receive_buffer_bytes = 32U << 20U;  // as asked for; the kernel doubles it
  EventMask events = EventMask::All();              // narrowed masks always keep COMM
  bool operator==(const ConnectorOptions&) const = default;
};

}  // namespace procevent
