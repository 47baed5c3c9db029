// A snapshot in which every number is there and differs from the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/reader/snapshot_exchange.h"

namespace procevent {

// Two commands besides the reserved rows; what they did adds up to the ends and the population.
inline void FillComms(LedgerSnapshot& numbers) {
  const std::array<const char*, 2> labels{"bash", "a\"b\\"};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    CommRow& row = numbers.comms.rows.at(kReservedComms + i);
    row.label = CommLabel(labels.at(i));
    row.in_use = true;
    for (std::size_t count = 0; count < kCountKinds; ++count) {
      row.counts[static_cast<CountKind>(count)] = 600 + 100 * i + count;
      numbers.pending[static_cast<CountKind>(count)] = 800 + count;
    }
  }
  numbers.comms.rows_in_use = 2;
  numbers.comms.overflowed = 3;
  numbers.exits = ExitStatistics({});
  std::iota(numbers.exits.statuses.begin() + 250, numbers.exits.statuses.end(), 900U);
  std::iota(numbers.exits.signals.begin() + 1, numbers.exits.signals.begin() + 40, 1000U);
  for (const std::uint64_t bound : numbers.exits.exit_codes.upper()) {
    numbers.exits.exit_codes.Add(bound);
  }
  for (const std::uint64_t bound : numbers.exits.lifetimes.upper()) {
    numbers.exits.lifetimes.Add(bound + 1);
  }
  std::iota(numbers.attributions.begin(), numbers.attributions.end(), 1100U);
  numbers.peaks = {{{1200, 1201}, {1202, 1203}, {1204, 1205.5}}};
  numbers.processes = 1300;
  numbers.threads = 1301;
  std::iota(numbers.found.begin(), numbers.found.end(), 1400U);
  std::iota(numbers.dropped.begin(), numbers.dropped.end(), 1500U);
}

inline void Fill(Snapshot& snapshot) {
  LedgerSnapshot& numbers = snapshot.ledger;
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
  FillComms(numbers);
  snapshot.taken_ns = 1;
  snapshot.loss_exact = true;
  snapshot.subscribed = true;
  std::iota(snapshot.restarts.begin(), snapshot.restarts.end(), 400U);
  snapshot.unsubscribed_ns = 1'500'000'000;
  snapshot.forks_unseen = 500;
  snapshot.kernel_forks = 501;
  snapshot.socket_drops = 502;
  snapshot.queue_peak_bytes = 503;
  snapshot.queue_limit_bytes = 67'108'864;
  snapshot.reader_cpu_ns = 123'456'789;
}

}  // namespace procevent
