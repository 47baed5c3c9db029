// What an EXIT event's wait status says: how a process ended. Pure.
#pragma once

#include <cstdint>

namespace procevent {

struct WaitStatus {
  std::uint8_t status = 0;  // 0-255; 0 if a signal killed it
  std::uint8_t signal = 0;  // the signal that killed it, or 0
  bool core_dumped = false;

  bool operator==(const WaitStatus&) const = default;
};

WaitStatus DecodeWaitStatus(std::uint32_t wait_status);

}  // namespace procevent
