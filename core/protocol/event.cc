#include "core/protocol/event.h"

#include <array>

namespace procevent {

Event::Body MakeBody(EventKind kind) {
  return WithEventBodies(
      [kind]<typename... Bodies>() { return std::array{Event::Body(Bodies{})...}[static_cast<std::size_t>(kind)]; });
}

// Bits 0-6 are the signal, bit 7 is the core dump flag, bits 8-15 are the status. Signal 0x7f would mean "stopped",
// which no EXIT event reports, so it is decoded as signal 127.
WaitStatus DecodeWaitStatus(std::uint32_t wait_status) {
  const auto signal = static_cast<std::uint8_t>(wait_status & 0x7fU);
  if (signal == 0) {
    return {.status = static_cast<std::uint8_t>((wait_status >> 8U) & 0xffU)};
  }
  return {.signal = signal, .core_dumped = (wait_status & 0x80U) != 0};
}

}  // namespace procevent
