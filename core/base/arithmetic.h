// Arithmetic on counters.
#pragma once

#include <cstdint>

namespace procevent {

// The sum of two values, or the maximum if it does not fit. A sum of hostile values must stop there: a counter that
// falls reads as a restart.
constexpr std::uint64_t SaturatingSum(std::uint64_t left, std::uint64_t right) {
  return right > UINT64_MAX - left ? UINT64_MAX : left + right;
}

}  // namespace procevent
