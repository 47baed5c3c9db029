// Events in, numbers out. Single-threaded and pure: no syscall, no clock, no thread. Nothing is allocated after it was
// made, but at the first sight of a name. The reader owns it.
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

class Ledger {
 public:
  Ledger(unsigned cpus, EventCoverage hearing, const LedgerOptions& options = {});
  Ledger(const Ledger&) = delete;  // its rooms know each other
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() = default;

  // Books whatever a message turned out to be; `now_ns` is when it was received.
  void ApplyMessage(const Message& message, std::uint64_t now_ns);
  void CountRejection(Rejection reason, std::uint64_t times = 1);
  // Events were lost that no gap tells of, or none does yet.
  void Invalidate() { names_.Invalidate(); }
  // What is booked from now on goes to the rows that other rules say.
  void SetNameGroups(NameGroups groups) { accounts_.SetNameGroups(std::move(groups)); }
  // Time passes, events or not.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] ProcReconciler& reconciler() { return sightings_; }
  [[nodiscard]] bool tracks_processes() const { return hearing_ != EventCoverage::kPartial; }

  void CopyTo(LedgerSnapshot& numbers) const;
  [[nodiscard]] const StreamStatistics& stream() const { return stream_; }
  [[nodiscard]] std::uint64_t forks() const { return stream_.events_of(EventKind::kFork); }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void ApplyEvent(const Event& event, std::uint64_t now_ns);

  EventCoverage hearing_;
  SequenceTracker sequence_;
  StreamStatistics stream_;
  std::uint64_t lost_ = 0;  // the sum of stream_.lost
  Peaks peaks_;
  Statistics accounts_;
  ProcessRows table_;
  NameResolver names_;
  ProcessTracker census_;
  ProcReconciler sightings_;
};

}  // namespace procevent
