// Requests /proc snapshots for the tracker, and applies each once later events confirm it.
//
// A snapshot shows one moment. Events made before that moment, and a little after it, may still be queued. So a
// snapshot waits until these events have been applied, and is discarded if any of them changed the same process.
//
// A snapshot is confirmed if all of this holds:
//   - All events made up to 10 ms after it have been applied.
//   - There was no loss since it was taken.
//   - From 10 ms before it on, the process neither executed, nor was renamed, nor changed its user or group, nor
//     started or ended a thread.
// A snapshot that is not confirmed is requested again.
//
// Where events may have been missed, a confirmed snapshot decides whether the process is still the same: its start is
// at most 50 ms before the FORK. Otherwise its lifetime is unknown. In either case it may have executed a program.
//
// A snapshot of a process in the middle of an exec is not applied, since its name may already be that of the next
// program, or of one that never runs. ProcSnapshot marks three cases:
//   - statm shows memory but no code yet: the process is in the middle of an exec (may_be_in_exec).
//   - The state is `t` (held by a tracer) or `D` (held by a disk or a vfork): it may be (may_be_in_exec).
//   - It has no memory and does not exit by itself: an exec may have failed (without_memory).
// Its name is read again every 20 ms, at most 25 times, and then by a pass over the rows. Everything else that is known
// of the process stays known.
//
// Owned by the tracker. The reader's ProcScanner takes the requests, reads /proc and delivers the snapshots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/protocol/input.h"
#include "core/protocol/proc_snapshot.h"
#include "core/tracker/event_applier.h"
#include "core/tracker/name_resolver.h"
#include "core/tracker/process_rows.h"

namespace procevent {

// Reconciles the process table with /proc.
class ProcReconciler {
 public:
  ProcReconciler(ProcessRows& table, NameResolver& resolver, EventApplier& events);

  struct ProcRequest {
    std::int32_t tgid = 0;
    bool full = false;  // a full snapshot is needed; otherwise the name is enough
  };
  // Returns the next process whose name pending counts wait for. To be called when the queue of events is empty: a
  // process whose EXIT is still queued needs no snapshot.
  [[nodiscard]] std::optional<ProcRequest> NextRequest();
  [[nodiscard]] bool any_request() const { return resolver_.any_name_request() && has_capacity(); }

  void Apply(const ProcRead& read);
  // Takes a snapshot of a process; the name alone is used unless it is `full`.
  void ApplySnapshot(const ProcSnapshot& snapshot, bool full);
  // /proc has no such process.
  void ApplyGone(std::int32_t tgid, std::uint64_t taken_ns);
  // The process exists, but /proc hides it.
  void ApplyHidden(std::int32_t tgid);

  // Whether the process has no row and one is free.
  [[nodiscard]] bool CanTrack(std::int32_t tgid) const {
    return table_.Find(tgid) == kInvalidId && table_.free_rows() > 0;
  }
  // Adds a row for a process that /proc lists and the table lacks. Its name is unconfirmed.
  void AddFoundProcess(const ProcSnapshot& snapshot, procevent::ProcessFoundReason reason);

  // Every event that the kernel made before `applied_until_ns` has been applied: confirms or discards the snapshots
  // that waited for these.
  void ConfirmUpTo(std::uint64_t applied_until_ns);
  // Whether a snapshot or a candidate name waits for that.
  [[nodiscard]] bool any_unconfirmed() const { return size_ > 0 || resolver_.any_unconfirmed_name(); }

  // Returns whether rows became stale, or snapshots were requested, since the last call.
  [[nodiscard]] bool TakeAnyStale();
  // Returns the next process among the rows from `cursor` to `last` that needs a full snapshot: it is stale, or one was
  // requested. Moves the cursor behind it, or to the end.
  [[nodiscard]] std::optional<std::int32_t> NextStale(RowId& cursor, RowId last) const;
  [[nodiscard]] RowId end_of_rows() const { return table_.end(); }
  // Whether another full snapshot can wait for confirmation. A snapshot beyond that is discarded.
  [[nodiscard]] bool has_capacity() const { return size_ < unconfirmed_.size(); }

 private:
  struct UnconfirmedSnapshot {
    RowId row = kInvalidId;
    std::uint32_t serial = 0;  // of the row: whether it still is the same process
    std::uint64_t epoch = 0;   // loss epoch when the snapshot was taken
    ProcSnapshot snapshot;     // `dead` also if /proc had no such process
  };
  void Enqueue(RowId row, const ProcSnapshot& snapshot);
  // Applies the snapshot to its row if it is confirmed; otherwise requests another.
  void ApplyIfConfirmed(const UnconfirmedSnapshot& unconfirmed);

  ProcessRows& table_;
  NameResolver& resolver_;
  EventApplier& events_;
  std::vector<UnconfirmedSnapshot> unconfirmed_;  // a ring of `size_` entries from `first_` on, in order of time
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t last_epoch_ = 0;  // at the last TakeAnyStale
};

}  // namespace procevent
