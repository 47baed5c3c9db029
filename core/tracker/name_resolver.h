// Decides with which name the activities of a process are emitted, now or later.
//
// A name is never guessed. After an EXEC the program's new name is not known, since EXEC events carry none. Neither is
// it known after a loss, which may have hidden an EXEC or a rename. Activities then wait in PendingCounts until one of
// two sources names the process:
//   - a COMM event of the process ("comm_event"),
//   - a name in a /proc snapshot that the events received afterwards confirm ("proc").
// Without either, they are emitted as unattributed ("unattributed").
//
// Known limits of confirmation:
//   - An exec may get no CPU for more than 10 ms between its last step and its event. If /proc is read in this gap, the
//     program before the exec gets the new name.
//   - An exec during a lost subscription that the reader has not detected yet can do the same.
//   - The EXEC before a COMM event may be lost, with no later event of that CPU that shows the gap yet. Then the COMM
//     names the exec before the lost one.
//
// Owned by the tracker; EventApplier and ProcReconciler call it. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/tracker/activity.h"
#include "core/tracker/pending_counts.h"
#include "core/tracker/process_rows.h"

namespace procevent {

// The source of the name that pending counts were emitted with.
enum class Attribution : std::uint8_t { kProc, kCommEvent, kUnattributed };
inline constexpr std::size_t kAttributions = 3;
inline constexpr std::array<std::string_view, kAttributions> kAttributionNames{"proc", "comm_event", "unattributed"};

// Attributes activities to names, and owns the pending counts.
class NameResolver {
 public:
  NameResolver(ProcessRows& table, ActivitySink sink)
      : table_(table), sink_(sink), pending_(kMaxPendingCounts, kMaxPendingExits) {}

  // Invalidates all rows: events were lost. The loss is a gap in the sequence numbers, or a drop that the socket
  // counted, which the reader notices first. Every row is stale from now on. The next event of a stale process, or a
  // snapshot taken after the loss, makes its row current again.
  void Invalidate() { ++epoch_; }
  // Must be called before anything else is done with a row. It makes a stale row current: the name becomes unknown, and
  // pending counts that the process owns are emitted as unattributed.
  void ForgetIfStale(RowId id) {
    if (table_[id].epoch != epoch_) {
      ForgetState(id);
    }
  }

  // Emits an activity of the process. If its name is not known yet, the activity waits in pending counts that the
  // process owns; if none are free, it is unattributed.
  void Emit(RowId id, CountKind what, std::uint64_t when_ns);
  // Emits the exit of a process. An unknown name cannot be read any more, so it opens no pending counts. An unconfirmed
  // name does, since the exit may confirm it. The exit of a member waits with its pending counts. If the pool is full,
  // these are closed as unattributed.
  void Emit(RowId id, const ProcessExit& exit, std::uint64_t when_ns);
  // Emits an activity of a process that has no row. `exit` is null, or that of the process.
  void EmitUntracked(std::int32_t pid, CountKind what, std::uint64_t when_ns, const ProcessExit* exit = nullptr);

  // A child goes by its parent's name, or is counted in its parent's pending counts, until it executes or is renamed.
  // With CLONE_PARENT the parent is the grandparent: the kernel reports no other.
  void InheritName(RowId child, RowId parent);
  // A child forked by a thread other than the leader: it has the name of that thread, which is not known. Opens
  // pending counts, so that /proc is read for it.
  void RequestName(RowId child);

  // An EXEC closes the pending counts that the process owned. They get the candidate if it is confirmed, that is, if it
  // was read kSnapshotMargin or more before the EXEC; otherwise they are unattributed. The new name is unknown.
  void OnExec(RowId id, std::uint64_t when_ns);
  // A COMM event names the exec in the pending counts that the process owns, unless the candidate is confirmed already.
  // The other events in them precede the new name, and are unattributed. The process is called `name` from now on.
  void OnRename(RowId id, const CommName& name, std::uint64_t when_ns);
  // Closes the pending counts that the process owns, once its exit is emitted; the caller then erases the row. A
  // snapshot taken before the EXIT confirms its name without a margin: ProcSnapshot::has_reliable_name excludes the
  // name of an exec that failed, and every EXEC and COMM is queued before the EXIT.
  void OnExit(RowId id, std::uint64_t when_ns);
  // The process disappeared without an EXIT: the pending counts that it owns are unattributed.
  void OnUnobservedExit(RowId id) { LeavePending(id); }

  // Returns the next process whose name is to be read from /proc, or kInvalidId. To be called when all events received
  // so far have been applied. New requests come before retries.
  [[nodiscard]] RowId NextNameRequest();
  [[nodiscard]] bool any_name_request() const { return pending_.any_to_read(); }
  // Whether a candidate waits to be confirmed.
  [[nodiscard]] bool any_unconfirmed_name() const { return pending_.first_candidate() != kInvalidId; }
  // Sets the name that /proc showed for a process that had no row; its `snapshot_ns` holds the time.
  void SetUnconfirmedName(RowId id, const CommName& name);
  // Sets the name that /proc showed as the candidate of the pending counts that the process owns.
  void SetCandidateName(RowId id, const CommName& name, std::uint64_t taken_ns);
  // /proc showed the process in the middle of an exec, where its name is not reliable. Schedules another read. Returns
  // false if there is none: no pending counts of its own, a candidate already, or no retry left.
  [[nodiscard]] bool ScheduleNameRetry(RowId id, std::uint64_t taken_ns) {
    return OwnsPending(id) && pending_.ScheduleRetry(table_[id].pending, taken_ns);
  }
  // Makes a new or stale row current. No event of a stale one was received since the loss: pending counts that it owns
  // are emitted as unattributed, and ConfirmName must follow.
  void MarkCurrent(RowId id);
  // Sets the confirmed name, and closes the pending counts that the process owns under it.
  void ConfirmName(RowId id, const CommName& name);
  // All events that the kernel made before `applied_until_ns` have been applied. Confirms the candidates that were read
  // kSnapshotMargin or more before that. An EXEC or COMM of the owner up to then would have closed the pending counts.
  void ConfirmNamesUpTo(std::uint64_t applied_until_ns);

  // The loss epoch: 1 plus the number of invalidations.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const Counts& pending() const { return pending_.total(); }
  // How many pending counts were closed, by source of the name. Empty ones are left out, unless a COMM event closed
  // them. Execs and exits that found no pending counts are added to kUnattributed.
  [[nodiscard]] const std::array<std::uint64_t, kAttributions>& attributions() const { return attributions_; }

 private:
  // Beyond these limits activities are unattributed at once.
  static constexpr std::size_t kMaxPendingCounts = 4096;
  static constexpr std::size_t kMaxPendingExits = 65'536;

  [[nodiscard]] ActiveProcess ProcessOf(RowId id, AttributesId attributes) const {
    const ProcessRow& row = table_[id];
    return {row.tgid, row.parent, row.start_ns, &table_.attributes()[attributes]};
  }
  [[nodiscard]] bool IsKnown(RowId id) const { return table_[id].name_state == NameState::kKnown; }
  [[nodiscard]] bool OwnsPending(RowId id) const {
    return table_[id].pending != kInvalidId && pending_[table_[id].pending].owner == id;
  }

  // Emits an activity of a process whose name is not known: it waits, or is unattributed.
  void EmitUnnamed(RowId id, CountKind what, std::uint64_t when_ns);
  void ForgetState(RowId id);
  void OpenPending(RowId owner);
  void JoinPending(RowId id, PendingCountsId pending);
  void UnlinkMember(RowId id);
  // Closes the pending counts as unattributed if the row owns them, otherwise removes the row from them.
  void LeavePending(RowId id);
  // Closes the pending counts that the row owns if their candidate was read `margin_ns` or more before `when_ns`.
  void CloseIfConfirmed(RowId owner, std::uint64_t when_ns, std::uint64_t margin_ns);
  // Emits the counts. With kProc, `named` are the owner's attributes with its name, which becomes the name of every
  // member. With kCommEvent the execs alone have them. Otherwise the members' names are unknown.
  void ClosePending(PendingCountsId pending, Attribution source, AttributesId named = kNoEntry);
  // Closes them with a name that /proc showed.
  void ClosePendingAs(PendingCountsId pending, const CommName& name);
  // Returns the attributes of the process with another name, with a reference for the caller.
  [[nodiscard]] AttributesId InternWithName(RowId id, const CommName& name);
  void SetName(RowId id, const CommName& name);
  // Takes over the caller's reference.
  void SetNamed(RowId id, AttributesId named);

  ProcessRows& table_;
  ActivitySink sink_;
  PendingCountsPool pending_;
  std::uint64_t epoch_ = 1;
  std::uint64_t applied_until_ns_ = 0;
  std::array<std::uint64_t, kAttributions> attributions_{};
};

}  // namespace procevent
