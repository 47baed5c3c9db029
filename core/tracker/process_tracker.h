// Follows every process of the host, and emits what each does as activities with the attributes of the process.
//
// The only process table: a row for each live process, from its FORK to its EXIT. An activity whose process has no name
// yet waits, bounded, and is emitted once the name is known. No name is guessed.
//
// After construction it is pure (no system call, no clock, no thread) and allocates only at the first occurrence of a
// name.
// Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/protocol/event.h"
#include "core/protocol/input.h"
#include "core/tracker/activity.h"
#include "core/tracker/event_applier.h"
#include "core/tracker/name_resolver.h"
#include "core/tracker/proc_reconciler.h"
#include "core/tracker/process_rows.h"

namespace procevent {

// The numbers of a tracker.
struct TrackerNumbers {
  Counts pending;  // of processes whose name is not known yet
  std::array<std::uint64_t, kAttributions> attributions{};
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::array<std::uint64_t, kProcessFoundReasons> found{};
  std::array<std::uint64_t, kProcessDropReasons> dropped{};
};

class ProcessTracker {
 public:
  // With a limit of 0 no process is tracked, so every activity is untracked. The sink's object must outlive the
  // tracker.
  ProcessTracker(std::size_t process_limit, ActivitySink sink)
      : table_(process_limit),
        resolver_(table_, sink),
        events_(table_, resolver_),
        reconciler_(table_, resolver_, events_) {}
  ProcessTracker(const ProcessTracker&) = delete;  // its members hold references to each other
  ProcessTracker& operator=(const ProcessTracker&) = delete;
  ~ProcessTracker() = default;

  void Apply(const Event& event) { events_.ApplyEvent(event); }
  void Apply(const ProcRead& read) { reconciler_.Apply(read); }
  void Apply(const Watermark& watermark) { reconciler_.ConfirmUpTo(watermark.applied_until_ns); }
  // Events were lost: marks the process table stale.
  void Apply(const Invalidation& /*invalidation*/) { resolver_.Invalidate(); }
  // Says which /proc snapshots are needed.
  [[nodiscard]] ProcReconciler& reconciler() { return reconciler_; }
  [[nodiscard]] const ProcReconciler& reconciler() const { return reconciler_; }

  void CopyTo(TrackerNumbers& snapshot) const {
    snapshot = {.pending = resolver_.pending(),
                .attributions = resolver_.attributions(),
                .processes = table_.size(),
                .threads = table_.threads(),
                .found = events_.found(),
                .dropped = events_.dropped()};
  }

 private:
  ProcessRows table_;
  NameResolver resolver_;
  EventApplier events_;
  ProcReconciler reconciler_;
};

}  // namespace procevent
