// Time as the kernel stamps its events, nanoseconds of CLOCK_MONOTONIC; and the date. Any room but the ledger may read
// the clock.
#pragma once

#include <time.h>

#include <cstdint>

namespace procevent {

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kNanosPerMilli = 1'000'000;

inline std::uint64_t NanosOf(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t MonotonicNanos() { return NanosOf(CLOCK_MONOTONIC); }
inline double SecondsSinceEpoch() { return static_cast<double>(NanosOf(CLOCK_REALTIME)) / kNanosPerSecond; }

}  // namespace procevent
