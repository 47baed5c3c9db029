// The ledger's numbers at one moment: what a snapshot copies. Copying into one that was made alike does not allocate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ledger/accounts.h"
#include "core/ledger/census.h"
#include "core/ledger/delay_histogram.h"
#include "core/ledger/names.h"
#include "core/ledger/peaks.h"
#include "core/ledger/rejection.h"
#include "core/protocol/event.h"

namespace procevent {

// Of each event, whatever it says.
struct StreamNumbers {
  explicit StreamNumbers(unsigned cpus) : lost(cpus) {}

  std::array<std::uint64_t, kEventKinds> events{};
  std::vector<std::uint64_t> lost;  // by possible CPU; all 0 where a narrowed mask hides losses
  std::array<std::uint64_t, kRejections> rejected{};
  DelayHistogram delay;  // of every event but ACKs

  [[nodiscard]] std::uint64_t events_of(EventKind kind) const { return events[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t lost_in_all() const;
  bool operator==(const StreamNumbers&) const = default;
};

struct Numbers : StreamNumbers {
  explicit Numbers(unsigned cpus, const LedgerOptions& options = {})
      : StreamNumbers(cpus), comms(options), ends(options) {}

  bool followed = true;  // false where the mask leaves out a part of processes' lives: nothing below is attributed
  CommNumbers comms;
  EndNumbers ends;
  Tally pending;
  std::array<std::uint64_t, kAttributions> attributions{};
  PeakRates peaks{};
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::array<std::uint64_t, kFounds> found{};
  std::array<std::uint64_t, kDroppeds> dropped{};
};

}  // namespace procevent
