// Histograms of the exit codes and lifetimes of all processes, whether they have a name or not. A sink of Statistics.
// Single-threaded.
#pragma once

#include "core/statistics/counting_options.h"
#include "core/statistics/histogram.h"
#include "core/tracker/activity.h"

namespace procevent {

class ExitHistograms {
 public:
  explicit ExitHistograms(const CountingOptions& options)
      : exit_codes(options.exit_code_bounds), lifetimes(LifetimeBounds(options)) {}

  void OnEvent(const Activity& activity) {
    if (activity.exit == nullptr) {
      return;
    }
    exit_codes.Add(ExitCodeOf(*activity.exit));
    if (activity.exit->lifetime_known) {
      lifetimes.Add(activity.exit->lifetime_ns);
    }
  }

  Histogram exit_codes;  // status, or 128 + signal
  Histogram lifetimes;   // nanoseconds
  bool operator==(const ExitHistograms&) const = default;
};

}  // namespace procevent
