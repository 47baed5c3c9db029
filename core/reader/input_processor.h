// Turns decoded messages and /proc snapshots into numbers: the event stream, the tracker and the statistics.
//
// Single-threaded and pure: no system call, no clock, no thread. After construction it allocates only at the first
// occurrence of a name. Owned by the reader, which calls it from the reader thread.
#pragma once

#include <cstdint>
#include <utility>

#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/reader/numbers.h"
#include "core/statistics/counting_options.h"
#include "core/statistics/event_stream.h"
#include "core/statistics/statistics.h"
#include "core/tracker/process_tracker.h"

namespace procevent {

// Counts events, detects losses, and attributes events to processes and names.
class InputProcessor {
 public:
  InputProcessor(unsigned cpus, EventCoverage coverage, const CountingOptions& options = {});

  // Counts the message as an event or as a rejection. `now_ns` is the time of its receipt.
  void ApplyMessage(const Message& message, std::uint64_t now_ns);
  void CountRejection(Rejection reason) { stream_.CountRejection(reason); }
  // Marks the process table stale after a loss. ApplyMessage calls it at a sequence gap; the caller calls it for a loss
  // that no gap shows yet.
  void Invalidate() { tracker_.Invalidate(); }
  // Applies to events that are counted from now on.
  void SetNameGroups(NameGroups groups) { statistics_.SetNameGroups(std::move(groups)); }
  // Expires peaks and idle groups. To be called regularly, also without events.
  void Advance(std::uint64_t now_ns) { statistics_.Advance(now_ns); }

  [[nodiscard]] ProcReconciler& reconciler() { return tracker_.reconciler(); }
  [[nodiscard]] EventCoverage coverage() const { return stream_.coverage(); }
  // Whether lost() is complete. A narrowed event mask hides losses.
  [[nodiscard]] bool loss_exact() const { return stream_.loss_exact(); }
  [[nodiscard]] bool tracks_processes() const { return coverage() != EventCoverage::kPartial; }

  void CopyTo(Numbers& snapshot) const;
  [[nodiscard]] const StreamStatistics& stream() const { return stream_.statistics(); }
  [[nodiscard]] std::uint64_t forks() const { return stream().events_of(EventKind::kFork); }
  [[nodiscard]] std::uint64_t received() const { return stream_.received(); }  // events without ACKs
  [[nodiscard]] std::uint64_t lost() const { return stream_.lost(); }
  // See SequenceTracker.
  [[nodiscard]] std::uint64_t losses_visible_until_ns() const { return stream_.losses_visible_until_ns(); }

 private:
  EventStream stream_;
  Statistics statistics_;
  ProcessTracker tracker_;
};

}  // namespace procevent
