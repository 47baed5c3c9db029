// FOLDED: clock.h, cpus.h
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace procevent {

// Time as the kernel stamps its events, nanoseconds of CLOCK_MONOTONIC; and the date. Any room but the ledger may read
// the clock.

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kNanosPerMilli = 1'000'000;

inline std::uint64_t ClockNanos(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t MonotonicNanos() { return ClockNanos(CLOCK_MONOTONIC); }
inline double SecondsSinceEpoch() { return static_cast<double>(ClockNanos(CLOCK_REALTIME)) / kNanosPerSecond; }

// As poll and epoll_wait want it: rounded up, so that nobody wakes too early.
inline int MillisUntil(std::uint64_t due_ns, std::uint64_t now_ns) {
  const std::uint64_t nanos = due_ns > now_ns ? due_ns - now_ns : 0;
  const std::uint64_t millis = nanos / kNanosPerMilli + (nanos % kNanosPerMilli == 0 ? 0 : 1);
  return static_cast<int>(std::min<std::uint64_t>(millis, std::numeric_limits<int>::max()));
}

// How many CPUs this machine may ever have: the range of the `cpu` in events. Read once, at start.

// One more than the highest CPU in a list like "0-3,8"; 0 if the text is no such list.
unsigned HighestCpuPlusOne(std::string_view list);

// From /sys/devices/system/cpu/possible, or what sysconf says where that cannot be read; at least 1.
unsigned PossibleCpus();

}  // namespace procevent
