// Holds all numbers of the ledger at one moment, as a scrape exposes them.
#pragma once

#include "core/ledger/event_stream.h"
#include "core/ledger/ledger_options.h"
#include "core/ledger/statistics.h"
#include "core/ledger/tracker.h"

namespace procevent {

// Copying into a snapshot that was constructed with the same options, or into a copy of one, allocates nothing.
struct LedgerSnapshot : StreamStatistics, TrackerSnapshot, StatisticsSnapshot {
  explicit LedgerSnapshot(unsigned cpus, const LedgerOptions& options = {})
      : StreamStatistics(cpus), StatisticsSnapshot(options) {}

  // False if the event mask lacks fork, exec or exit events: then every activity is untracked.
  bool processes_tracked = true;
};

}  // namespace procevent
