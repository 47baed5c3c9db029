// Turns decoded messages and /proc snapshots into counts.
//
// Single-threaded and pure: no system call, no clock, no thread. After construction it allocates only at the first
// occurrence of a name. Owned by the reader, which calls it from the reader thread.
#pragma once

#include <cstdint>
#include <utility>

#include "core/ledger/ledger_options.h"
#include "core/ledger/ledger_snapshot.h"
#include "core/ledger/name_resolver.h"
#include "core/ledger/proc_reconciler.h"
#include "core/ledger/process_rows.h"
#include "core/ledger/process_tracker.h"
#include "core/ledger/statistics.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/protocol/sequence_tracker.h"

namespace procevent {

// Counts events, detects losses, and attributes events to processes and names.
class Ledger {
 public:
  Ledger(unsigned cpus, EventCoverage coverage, const LedgerOptions& options = {});
  Ledger(const Ledger&) = delete;  // its members hold references to each other
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() = default;

  // Counts the message as an event or as a rejection. `now_ns` is the time of its receipt.
  void ApplyMessage(const Message& message, std::uint64_t now_ns);
  void CountRejection(Rejection reason, std::uint64_t times = 1);
  // Marks the process table stale after a loss. ApplyMessage calls it at a sequence gap; the caller calls it for a loss
  // that no gap shows yet.
  void Invalidate() { resolver_.Invalidate(); }
  // Applies to events that are counted from now on.
  void SetNameGroups(NameGroups groups) { statistics_.SetNameGroups(std::move(groups)); }
  // Expires peaks and idle groups. To be called regularly, also without events.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] ProcReconciler& reconciler() { return reconciler_; }
  [[nodiscard]] EventCoverage coverage() const { return coverage_; }
  // Whether lost() is complete. A narrowed event mask hides losses.
  [[nodiscard]] bool loss_exact() const { return coverage_ == EventCoverage::kAll; }
  [[nodiscard]] bool tracks_processes() const { return coverage_ != EventCoverage::kPartial; }

  void CopyTo(LedgerSnapshot& snapshot) const;
  [[nodiscard]] const StreamStatistics& stream() const { return stream_; }
  [[nodiscard]] std::uint64_t forks() const { return stream_.events_of(EventKind::kFork); }
  [[nodiscard]] std::uint64_t received() const;  // events without ACKs
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // See SequenceTracker.
  [[nodiscard]] std::uint64_t losses_visible_until_ns() const { return sequence_.losses_visible_until_ns(); }

 private:
  void ApplyEvent(const Event& event, std::uint64_t now_ns);

  EventCoverage coverage_;
  SequenceTracker sequence_;
  StreamStatistics stream_;
  std::uint64_t lost_ = 0;  // the sum of stream_.lost
  Peaks peaks_;
  Statistics statistics_;
  ProcessRows table_;
  NameResolver resolver_;
  ProcessTracker tracker_;
  ProcReconciler reconciler_;
};

}  // namespace procevent
