// Counts the activities of the whole host, whether their processes have a name or not. A sink of Statistics.
// Single-threaded.
#pragma once

#include "core/tracker/activity.h"
#include "core/tracker/counts.h"

namespace procevent {

class Totals {
 public:
  void OnEvent(const Activity& activity) { counts_[activity.what] += activity.times; }

  // Equals the sum of all groups, pending and retired counts, except for CountKind::kWithoutExec, which is no activity.
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  Counts counts_;
};

}  // namespace procevent
