// Holds the numbers of the event stream, the tracker and the statistics at one moment, as a scrape exposes them.
#pragma once

#include "core/statistics/counting_options.h"
#include "core/statistics/event_stream.h"
#include "core/statistics/statistics.h"
#include "core/tracker/process_tracker.h"

namespace procevent {

// Copying into a snapshot that was constructed with the same options, or into a copy of one, allocates nothing, except
// once after the group table has grown.
struct Numbers : StreamStatistics, TrackerNumbers, StatisticsNumbers {
  explicit Numbers(unsigned cpus, const CountingOptions& options = {})
      : StreamStatistics(cpus), StatisticsNumbers(options) {}

  // False if the event mask lacks fork, exec or exit events: then every activity is untracked.
  bool processes_tracked = true;
};

}  // namespace procevent
