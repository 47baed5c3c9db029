// What the ledger asks of /proc, and when it believes the answer: an answer shows one moment, and the events up to that
// moment, and a little beyond, may still be on their way. So an answer waits until those have been read; then it stands
// if none of them was about the same process. The reader's surveyor asks and answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/ledger/name_resolver.h"
#include "core/ledger/process_rows.h"
#include "core/ledger/process_tracker.h"
#include "core/protocol/proc_snapshot.h"

namespace procevent {

class ProcReconciler {
 public:
  ProcReconciler(ProcessRows& table, NameResolver& names, ProcessTracker& census);

  struct ProcRequest {
    std::int32_t tgid = 0;
    bool full = false;  // all that /proc tells; otherwise the name will do
  };
  // Whom to look at, to name what waits. To be asked when the queue has just been emptied: a process whose EXIT is in
  // it is not worth a look.
  [[nodiscard]] std::optional<ProcRequest> NextRequest();
  [[nodiscard]] bool any_request() const { return names_.any_name_request() && has_capacity(); }

  // The answers. Of one that is not whole only the name counts.
  void ApplySnapshot(const ProcSnapshot& sighting, bool whole);
  void ApplyGone(std::int32_t tgid, std::uint64_t taken_ns);
  void ApplyHidden(std::int32_t tgid);  // it is hidden

  // A process without a row, if there is room for one.
  [[nodiscard]] bool CanTrack(std::int32_t tgid) const {
    return table_.Find(tgid) == kInvalidId && table_.free_rows() > 0;
  }
  void AddFoundProcess(const ProcSnapshot& sighting, procevent::ProcessFoundReason how);

  // Every event that the kernel made before `heard_ns` has been booked.
  void ConfirmUpTo(std::uint64_t heard_ns);
  // Whether an answer waits for that.
  [[nodiscard]] bool any_unconfirmed() const { return waiting_ > 0 || names_.any_unconfirmed_name(); }

  // Whether rows came in doubt since this was asked last.
  [[nodiscard]] bool TakeAnyStale();
  // The next process in doubt among the rows from `cursor` to `last`; the cursor moves behind it, or to the end.
  [[nodiscard]] std::optional<std::int32_t> NextStale(RowId& cursor, RowId last) const;
  [[nodiscard]] RowId end_of_rows() const { return table_.end(); }
  [[nodiscard]] bool has_capacity() const { return waiting_ < answers_.size(); }

 private:
  struct UnconfirmedSnapshot {
    RowId row = kInvalidId;
    std::uint32_t serial = 0;
    std::uint64_t epoch = 0;
    bool gone = false;
    ProcSnapshot sighting;
  };
  void Wait(RowId row, bool gone, const ProcSnapshot& sighting);
  void Believe(const UnconfirmedSnapshot& answer);

  ProcessRows& table_;
  NameResolver& names_;
  ProcessTracker& census_;
  std::vector<UnconfirmedSnapshot> answers_;  // a ring
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t epoch_asked_ = 0;
};

}  // namespace procevent
