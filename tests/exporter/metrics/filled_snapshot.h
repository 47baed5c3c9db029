// Fills a snapshot so that every value is present and distinct.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/reader/snapshot_exchange.h"

namespace procevent {

// Adds two commands besides the reserved rows, and fills the exit statistics and the process table counts.
inline void FillComms(Numbers& numbers) {
  const std::array<const char*, 2> labels{"bash", "a\"b\\"};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    GroupRow& row = numbers.groups.rows.at(kReservedGroups + i);
    row.labels[0] = LabelValue(labels.at(i));
    row.serial = static_cast<std::uint32_t>(kReservedGroups + i + 1);
    for (std::size_t count = 0; count < kCountKinds; ++count) {
      row.counts[static_cast<CountKind>(count)] = 600 + 100 * i + count;
      numbers.pending[static_cast<CountKind>(count)] = 800 + count;
    }
  }
  numbers.groups.rows_in_use = 2;
  numbers.groups.overflowed = 3;
  for (std::size_t count = 0; count < kCountKinds; ++count) {
    numbers.groups.retired[static_cast<CountKind>(count)] = 900 + count;
  }
  numbers.exits = ExitHistograms({});
  numbers.exit_reasons.Assign(std::vector<ExitReasonCount>{
      {.group = kReservedGroups, .reason = {.killed = true, .number = 9}, .last_pid = 90, .count = 1},
      {.group = kReservedGroups, .reason = {.killed = false, .number = 255}, .last_pid = 91, .count = 2},
      {.group = kReservedGroups + 1, .reason = {.killed = true, .number = 34}, .last_pid = 92, .count = 3},
      {.group = 1, .reason = {.killed = false, .number = 1}, .last_pid = 93, .count = 4}});
  numbers.groups.rows.at(1).counts[CountKind::kFailed] = 4;
  numbers.totals = numbers.pending;
  numbers.totals += numbers.groups.retired;
  for (const GroupRow& row : numbers.groups.rows) {
    numbers.totals += row.counts;
  }
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
  Numbers& numbers = snapshot.numbers;
  std::iota(numbers.events.begin(), numbers.events.end(), 100U);
  std::iota(numbers.lost.begin(), numbers.lost.end(), 200U);
  std::iota(numbers.rejected.begin(), numbers.rejected.end(), 300U);
  numbers.delay = {};
  // One delay on the bound of each bucket. The last bucket gets the rest, so that the total equals the events without
  // ACKs.
  for (const std::uint64_t bound : DelayHistogram::kUpperNanos) {
    numbers.delay.Add(bound);
  }
  std::uint64_t events = std::accumulate(numbers.events.begin() + 1, numbers.events.end(), std::uint64_t{0});
  for (events -= DelayHistogram::kBounds; events > 0; --events) {
    numbers.delay.Add(6'000'000'000);
  }
  FillComms(numbers);
  snapshot.taken_unix_ms = 1'700'000'000'250;
  snapshot.complete_until_ns = 1;
  snapshot.loss_exact = true;
  snapshot.subscribed = true;
  std::iota(snapshot.restarts.begin(), snapshot.restarts.end(), 400U);
  snapshot.unsubscribed_ns = 1'500'000'000;
  snapshot.forks_audited = true;
  snapshot.forks_unseen = 500;
  snapshot.kernel_forks = 501;
  snapshot.socket_drops = 502;
  snapshot.queue_peak_bytes = 503;
  snapshot.queue_limit_bytes = 67'108'864;
  snapshot.reader_cpu_ns = 123'456'789;
}

}  // namespace procevent
