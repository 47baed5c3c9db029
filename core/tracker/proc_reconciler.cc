#include "core/tracker/proc_reconciler.h"

#include <algorithm>

#include "core/tracker/process_rules.h"

namespace procevent {
namespace {

constexpr std::size_t kMaxUnconfirmed = 1024;

bool HasSameStart(const ProcessRow& row, const ProcSnapshot& snapshot) {
  return CompareStarts(StartSource::kFork, row.start_ns, snapshot.start_ns) == StartMatch::kSame;
}

}  // namespace

ProcReconciler::ProcReconciler(ProcessRows& table, NameResolver& resolver, EventApplier& events)
    : table_(table), resolver_(resolver), events_(events), unconfirmed_(kMaxUnconfirmed) {}

std::optional<ProcReconciler::ProcRequest> ProcReconciler::NextRequest() {
  if (!has_capacity()) {
    return std::nullopt;
  }
  const RowId id = resolver_.NextNameRequest();
  if (id == kInvalidId) {
    return std::nullopt;
  }
  return ProcRequest{table_[id].tgid, table_[id].uncertain};
}

void ProcReconciler::Apply(const ProcRead& read) {
  switch (read.kind) {
    case ProcRead::Kind::kBootstrap:
      return AddFoundProcess(read.snapshot, ProcessFoundReason::kBootstrap);
    case ProcRead::Kind::kReconciliation:
      return AddFoundProcess(read.snapshot, ProcessFoundReason::kReconciliation);
    case ProcRead::Kind::kFull:
      return ApplySnapshot(read.snapshot, true);
    case ProcRead::Kind::kNameOnly:
      return ApplySnapshot(read.snapshot, false);
    case ProcRead::Kind::kGone:
      return ApplyGone(read.snapshot.tgid, read.snapshot.taken_ns);
    case ProcRead::Kind::kHidden:
      return ApplyHidden(read.snapshot.tgid);
  }
}

void ProcReconciler::ApplySnapshot(const ProcSnapshot& snapshot, bool full) {
  const RowId id = table_.Find(snapshot.tgid);
  if (id == kInvalidId) {
    return;
  }
  if (!snapshot.has_reliable_name()) {
    if (!resolver_.ScheduleNameRetry(id, snapshot.taken_ns) || table_[id].uncertain) {
      table_.RequestSnapshot(id);
    }
    return;
  }
  if (!snapshot.dead && table_[id].epoch == resolver_.epoch()) {
    resolver_.SetCandidateName(id, snapshot.name, snapshot.taken_ns);
  }
  if (full) {
    Enqueue(id, snapshot);
  }
}

void ProcReconciler::ApplyHidden(std::int32_t tgid) {
  if (const RowId id = table_.Find(tgid); id != kInvalidId) {
    table_.RequestSnapshot(id);
  }
}

void ProcReconciler::ApplyGone(std::int32_t tgid, std::uint64_t taken_ns) {
  if (const RowId id = table_.Find(tgid); id != kInvalidId) {
    Enqueue(id, {.tgid = tgid, .taken_ns = taken_ns, .name = {}, .dead = true});
  }
}

void ProcReconciler::AddFoundProcess(const ProcSnapshot& snapshot, procevent::ProcessFoundReason reason) {
  if (!snapshot.dead && CanTrack(snapshot.tgid)) {
    const RowId id = events_.AddProcess(snapshot, reason);
    if (snapshot.has_reliable_name()) {
      resolver_.SetUnconfirmedName(id, snapshot.name);
    }
  }
}

void ProcReconciler::ConfirmUpTo(std::uint64_t applied_until_ns) {
  resolver_.ConfirmNamesUpTo(applied_until_ns);
  while (size_ > 0 && CertainlyPrecedes(unconfirmed_[first_].snapshot.taken_ns, applied_until_ns)) {
    ApplyIfConfirmed(unconfirmed_[first_]);
    first_ = (first_ + 1) % unconfirmed_.size();
    --size_;
  }
}

bool ProcReconciler::TakeAnyStale() {
  const bool requested = table_.TakeAnySnapshotRequest();
  return std::exchange(last_epoch_, resolver_.epoch()) != resolver_.epoch() || requested;
}

std::optional<std::int32_t> ProcReconciler::NextStale(RowId& cursor, RowId last) const {
  const RowId end = std::min(table_.end(), last);
  while (cursor < end) {
    const ProcessRow& row = table_[cursor++];
    if (row.tgid != 0 && (row.needs_snapshot || row.epoch != resolver_.epoch())) {
      return row.tgid;
    }
  }
  return std::nullopt;
}

void ProcReconciler::Enqueue(RowId row, const ProcSnapshot& snapshot) {
  if (has_capacity()) {
    unconfirmed_[(first_ + size_) % unconfirmed_.size()] = {row, table_[row].serial, resolver_.epoch(), snapshot};
    ++size_;
  }
}

void ProcReconciler::ApplyIfConfirmed(const UnconfirmedSnapshot& unconfirmed) {
  ProcessRow& row = table_[unconfirmed.row];
  const ProcSnapshot& snapshot = unconfirmed.snapshot;
  if (row.tgid != snapshot.tgid || row.serial != unconfirmed.serial) {
    return;
  }
  // A loss discards the snapshot, too. It may have happened before the snapshot, although it is known only now. Or it
  // happened within the margin, and hides an event that changed the process.
  if (!CertainlyPrecedes(row.changed_ns, snapshot.taken_ns) || unconfirmed.epoch != resolver_.epoch()) {
    table_.RequestSnapshot(unconfirmed.row);
    return;
  }
  if (snapshot.dead) {
    events_.DropProcess(unconfirmed.row, ProcessDropReason::kGone);
    return;
  }
  table_.SetFromSnapshot(unconfirmed.row, snapshot);
  if (row.uncertain || row.epoch != unconfirmed.epoch) {
    row.start_ns = HasSameStart(row, snapshot) ? row.start_ns : 0;
    row.has_executed = true;  // an exec may have been missed
  }
  row.uncertain = false;
  row.needs_snapshot = false;
  if (row.epoch != unconfirmed.epoch) {
    resolver_.MarkCurrent(unconfirmed.row);  // no event of it was received since the loss
  }
  resolver_.ConfirmName(unconfirmed.row, snapshot.name);
}

}  // namespace procevent
