// Clock access in nanoseconds, and the number of possible CPUs.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace procevent {

// The kernel stamps events with CLOCK_MONOTONIC. The tracker and the statistics never read a clock, so that a replay
// gives the same numbers.

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kNanosPerMilli = 1'000'000;

inline std::uint64_t ClockNanos(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t MonotonicNanos() { return ClockNanos(CLOCK_MONOTONIC); }
inline double SecondsSinceEpoch() { return static_cast<double>(ClockNanos(CLOCK_REALTIME)) / kNanosPerSecond; }

// Timeout for poll and epoll_wait, rounded up so that the caller does not wake too early.
inline int MillisUntil(std::uint64_t due_ns, std::uint64_t now_ns) {
  const std::uint64_t nanos = due_ns > now_ns ? due_ns - now_ns : 0;
  const std::uint64_t millis = nanos / kNanosPerMilli + (nanos % kNanosPerMilli == 0 ? 0 : 1);
  return static_cast<int>(std::min<std::uint64_t>(millis, std::numeric_limits<int>::max()));
}

// One more than the highest CPU in a list like "0-3,8", or 0 if the text is not such a list.
unsigned HighestCpuPlusOne(std::string_view list);

// Number of CPUs this machine can ever have, at least 1: the range of the `cpu` field of events. Reads
// /sys/devices/system/cpu/possible and falls back to sysconf. Call it once, at start-up.
unsigned PossibleCpus();

}  // namespace procevent
