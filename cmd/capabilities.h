// What a thread may do beyond others: capabilities, as sets of bits. Each thread has its own sets; a new thread begins
// with its maker's. Used by Privilege and by doctor.
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace procevent {

struct Capabilities {
  std::uint64_t effective = 0;    // what the kernel heeds
  std::uint64_t permitted = 0;    // what may become effective
  std::uint64_t inheritable = 0;  // what an exec may keep
  bool operator==(const Capabilities&) const = default;
};

constexpr std::uint64_t CapabilityBit(int capability) { return std::uint64_t{1} << static_cast<unsigned>(capability); }

// Those of `wanted` that are permitted, all of them effective; nothing is left to inherit.
Capabilities Only(std::uint64_t wanted, const Capabilities& had);

// The calling thread's.
Result<Capabilities> OwnCapabilities();
Status SetOwnCapabilities(const Capabilities& wanted);

// For the calling thread and those that it makes. No exec gains anything from here on: no_new_privs.
Status ForbidGain();
// The same, wherever an exec is made nevertheless: empties the ambient set, and the bounding set where that is
// permitted.
void EmptyBounds();

}  // namespace procevent
