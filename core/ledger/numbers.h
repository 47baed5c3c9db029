// The ledger's numbers at one moment: what a snapshot copies. Its vector is sized once; copying into one of the same
// size does not allocate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ledger/delay_histogram.h"
#include "core/ledger/rejection.h"
#include "core/protocol/event.h"

namespace procevent {

struct Numbers {
  explicit Numbers(unsigned cpus) : lost(cpus) {}

  std::array<std::uint64_t, kEventKinds> events{};
  std::vector<std::uint64_t> lost;  // by possible CPU; all 0 where a narrowed mask hides losses
  std::array<std::uint64_t, kRejections> rejected{};
  DelayHistogram delay;  // of every event but ACKs

  [[nodiscard]] std::uint64_t events_of(EventKind kind) const { return events[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t lost_in_all() const;

  bool operator==(const Numbers&) const = default;
};

}  // namespace procevent
