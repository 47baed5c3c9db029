#include "core/ledger/proc_reconciler.h"

#include <algorithm>

namespace procevent {
namespace {

constexpr std::size_t kMostAnswers = 1024;
// How far a start that /proc tells in hundredths of a second may lie before the FORK.
constexpr std::uint64_t kStartMargin = 50 * kNanosPerMilli;

bool SameStart(const ProcessRow& row, const ProcSnapshot& sighting) {
  return sighting.start_ns <= row.start_ns && row.start_ns - sighting.start_ns < kStartMargin;
}

}  // namespace

ProcReconciler::ProcReconciler(ProcessRows& table, NameResolver& names, ProcessTracker& census)
    : table_(table), names_(names), census_(census), answers_(kMostAnswers) {}

std::optional<ProcReconciler::ProcRequest> ProcReconciler::NextRequest() {
  if (!has_capacity()) {
    return std::nullopt;
  }
  const RowId id = names_.NextNameRequest();
  if (id == kInvalidId) {
    return std::nullopt;
  }
  return ProcRequest{table_[id].tgid, table_[id].unsure};
}

void ProcReconciler::ApplySnapshot(const ProcSnapshot& sighting, bool whole) {
  const RowId id = table_.Find(sighting.tgid);
  if (id == kInvalidId) {
    return;
  }
  if (sighting.exec_in_progress) {  // its name may be that of a program that is not yet executed
    if (!names_.ScheduleNameRetry(id, sighting.taken_ns) || table_[id].unsure) {
      table_.RequestSnapshot(id);
    }
    return;
  }
  if (!sighting.dead && table_[id].epoch == names_.epoch()) {
    names_.SetCandidateName(id, sighting.name, sighting.taken_ns);
  }
  if (whole) {
    Wait(id, sighting.dead, sighting);
  }
}

void ProcReconciler::ApplyHidden(std::int32_t tgid) {
  if (const RowId id = table_.Find(tgid); id != kInvalidId) {
    table_.RequestSnapshot(id);
  }
}

void ProcReconciler::ApplyGone(std::int32_t tgid, std::uint64_t taken_ns) {
  if (const RowId id = table_.Find(tgid); id != kInvalidId) {
    ProcSnapshot sighting;
    sighting.tgid = tgid;
    sighting.taken_ns = taken_ns;
    Wait(id, true, sighting);
  }
}

void ProcReconciler::AddFoundProcess(const ProcSnapshot& sighting, procevent::ProcessFoundReason how) {
  if (!sighting.dead && CanTrack(sighting.tgid)) {
    const RowId id = census_.AddProcess(sighting, how);
    if (!sighting.exec_in_progress) {
      names_.SetUnconfirmedName(id, sighting.name);
    }
  }
}

void ProcReconciler::ConfirmUpTo(std::uint64_t heard_ns) {
  names_.ConfirmNamesUpTo(heard_ns);
  while (waiting_ > 0 && answers_[first_].sighting.taken_ns + kThreadsMargin <= heard_ns) {
    Believe(answers_[first_]);
    first_ = (first_ + 1) % answers_.size();
    --waiting_;
  }
}

bool ProcReconciler::TakeAnyStale() {
  const bool to_see = table_.TakeAnySnapshotRequest();
  return std::exchange(epoch_asked_, names_.epoch()) != names_.epoch() || to_see;
}

std::optional<std::int32_t> ProcReconciler::NextStale(RowId& cursor, RowId last) const {
  const RowId end = std::min(table_.end(), last);
  while (cursor < end) {
    const ProcessRow& row = table_[cursor++];
    if (row.tgid != 0 && (row.to_see || row.epoch != names_.epoch())) {
      return row.tgid;
    }
  }
  return std::nullopt;
}

void ProcReconciler::Wait(RowId row, bool gone, const ProcSnapshot& sighting) {
  if (has_capacity()) {
    answers_[(first_ + waiting_) % answers_.size()] = {row, table_[row].serial, names_.epoch(), gone, sighting};
    ++waiting_;
  }
}

void ProcReconciler::Believe(const UnconfirmedSnapshot& answer) {
  ProcessRow& row = table_[answer.row];
  const ProcSnapshot& sighting = answer.sighting;
  if (row.tgid != sighting.tgid || row.serial != answer.serial) {
    return;
  }
  // A loss that shows by now may have come before the look, and one in the margin hides what the look showed.
  if (row.changed_ns + kThreadsMargin > sighting.taken_ns || answer.epoch != names_.epoch()) {
    table_.RequestSnapshot(answer.row);
    return;
  }
  if (answer.gone) {
    census_.DropProcess(answer.row, ProcessDropReason::kGone);
    return;
  }
  table_.SetThreads(answer.row, sighting.threads);
  row.leader_gone = sighting.leader_gone;
  row.seen_ns = sighting.taken_ns;
  row.euid = sighting.euid;
  row.egid = sighting.egid;
  if (row.unsure || row.epoch != answer.epoch) {
    row.start_ns = SameStart(row, sighting) ? row.start_ns : 0;
    row.execed = true;  // an exec may have been missed
  }
  row.unsure = false;
  row.to_see = false;
  if (row.epoch != answer.epoch) {
    names_.MarkCurrent(answer.row);  // nothing was heard of it since the loss
  }
  names_.ConfirmName(answer.row, sighting.name);
}

}  // namespace procevent
