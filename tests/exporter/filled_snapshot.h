// A snapshot in which every number is there and differs from the others.
#pragma once

#include <cstdint>
#include <numeric>

#include "core/reader/snapshot.h"

namespace procevent {

inline void Fill(Snapshot& snapshot) {
  Numbers& numbers = snapshot.numbers;
  std::iota(numbers.events.begin(), numbers.events.end(), 100U);
  std::iota(numbers.lost.begin(), numbers.lost.end(), 200U);
  std::iota(numbers.rejected.begin(), numbers.rejected.end(), 300U);
  numbers.delay = {};
  // One in each bucket, on its bound, and as many more in the last as there are events but ACKs.
  for (const std::uint64_t bound : DelayHistogram::kUpperNanos) {
    numbers.delay.Add(bound);
  }
  std::uint64_t events = std::accumulate(numbers.events.begin() + 1, numbers.events.end(), std::uint64_t{0});
  for (events -= DelayHistogram::kBounds; events > 0; --events) {
    numbers.delay.Add(6'000'000'000);
  }
  snapshot.taken_ns = 1;
  snapshot.loss_exact = true;
  snapshot.listening = true;
  std::iota(snapshot.restarts.begin(), snapshot.restarts.end(), 400U);
  snapshot.blind_ns = 1'500'000'000;
  snapshot.forks_unseen = 500;
  snapshot.kernel_forks = 501;
  snapshot.socket_drops = 502;
  snapshot.queue_peak_bytes = 503;
  snapshot.queue_limit_bytes = 67'108'864;
  snapshot.reader_cpu_ns = 123'456'789;
}

}  // namespace procevent
