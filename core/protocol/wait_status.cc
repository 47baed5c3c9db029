#include "core/protocol/wait_status.h"

namespace procevent {

// The low 7 bits are the signal, the eighth says that core was dumped, the next 8 are the status. Signal 0x7f would
// mean "stopped", which no EXIT says; it is taken for the signal that it spells.
WaitStatus DecodeWaitStatus(std::uint32_t wait_status) {
  const auto signal = static_cast<std::uint8_t>(wait_status & 0x7fU);
  if (signal == 0) {
    return {.status = static_cast<std::uint8_t>((wait_status >> 8U) & 0xffU)};
  }
  return {.signal = signal, .core_dumped = (wait_status & 0x80U) != 0};
}

}  // namespace procevent
