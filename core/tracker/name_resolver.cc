#include "core/tracker/name_resolver.h"

#include "core/tracker/process_rules.h"

namespace procevent {
namespace {

constexpr std::size_t Index(Attribution source) { return static_cast<std::size_t>(source); }

// Whether the candidate is the owner's name, provided that no event of the owner up to `when_ns` changed it.
bool IsConfirmed(const PendingCounts& pending, std::uint64_t when_ns, std::uint64_t margin_ns) {
  return pending.candidate_ns != 0 && pending.candidate_ns + margin_ns <= when_ns;
}

}  // namespace

void NameResolver::ForgetState(RowId id) {
  MarkCurrent(id);
  table_[id].name_state = NameState::kUnknown;
  table_.MarkUncertain(id);
}

void NameResolver::Emit(RowId id, CountKind what, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  if (IsKnown(id) && row.pending == kInvalidId) {  // the common case
    sink_.Emit({.what = what, .when_ns = when_ns, .process = ProcessOf(id, row.attributes)});
  } else {
    EmitUnnamed(id, what, when_ns);
  }
}

void NameResolver::EmitUnnamed(RowId id, CountKind what, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  if (!IsKnown(id)) {
    OpenPending(id);
  }
  if (row.pending != kInvalidId) {
    pending_.Add(row.pending, what, when_ns);
    sink_.Emit({.stage = Activity::Stage::kWaiting,
                .what = what,
                .when_ns = when_ns,
                .process = ProcessOf(id, table_.unattributed())});
    return;
  }
  attributions_[Index(Attribution::kUnattributed)] += what == CountKind::kExecs ? 1 : 0;
  sink_.Emit({.what = what, .when_ns = when_ns, .process = ProcessOf(id, table_.unattributed())});
}

void NameResolver::Emit(RowId id, const ProcessExit& exit, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  Activity activity{.what = ExitCountKindOf(exit),
                    .when_ns = when_ns,
                    .process = ProcessOf(id, table_.unattributed()),
                    .exit = &exit};
  if (row.name_state == NameState::kUnconfirmed) {
    OpenPending(id);
  }
  if (row.pending != kInvalidId) {
    if (pending_.Add(row.pending, exit, activity.process, when_ns)) {
      activity.stage = Activity::Stage::kWaiting;
      sink_.Emit(activity);
      return;
    }
    ClosePending(row.pending, Attribution::kUnattributed);  // the pool of exits is full
  } else if (!IsKnown(id)) {
    ++attributions_[Index(Attribution::kUnattributed)];
  }
  if (IsKnown(id)) {
    activity.process.attributes = &table_.AttributesOf(id);
  }
  sink_.Emit(activity);
}

void NameResolver::EmitUntracked(std::int32_t pid, CountKind what, std::uint64_t when_ns, const ProcessExit* exit) {
  sink_.Emit({.what = what,
              .when_ns = when_ns,
              .process = {.pid = pid, .attributes = &table_.attributes()[table_.untracked()]},
              .exit = exit});
}

void NameResolver::InheritName(RowId child, RowId parent) {
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.epoch = epoch_;
  table_.SetAttributes(child, from.attributes);
  row.name_state = from.name_state == NameState::kKnown ? NameState::kKnown : NameState::kUnknown;
  if (from.pending != kInvalidId) {
    JoinPending(child, from.pending);
  }
}

void NameResolver::SetUnconfirmedName(RowId id, const CommName& name) {
  SetName(id, name);
  table_[id].name_state = NameState::kUnconfirmed;
}

void NameResolver::RequestName(RowId child) {
  MarkCurrent(child);
  OpenPending(child);
}

void NameResolver::OnExec(RowId id, std::uint64_t when_ns) {
  CloseIfConfirmed(id, when_ns, kSnapshotMargin);
  LeavePending(id);
  table_[id].name_state = NameState::kUnknown;
}

void NameResolver::OnRename(RowId id, const CommName& name, std::uint64_t when_ns) {
  const AttributesId named = InternWithName(id, name);
  if (OwnsPending(id) && pending_[table_[id].pending].counts[CountKind::kExecs] != 0 &&
      !IsConfirmed(pending_[table_[id].pending], when_ns, kSnapshotMargin)) {
    ClosePending(table_[id].pending, Attribution::kCommEvent, named);
  }
  CloseIfConfirmed(id, when_ns, kSnapshotMargin);
  LeavePending(id);
  SetNamed(id, named);
}

void NameResolver::OnExit(RowId id, std::uint64_t when_ns) {
  CloseIfConfirmed(id, when_ns, 0);
  LeavePending(id);
}

RowId NameResolver::NextNameRequest() {
  PendingCountsId pending = kInvalidId;
  while ((pending = pending_.TakeNextToRead(applied_until_ns_)) != kInvalidId) {
    const RowId owner = pending_[pending].owner;
    if (table_[owner].epoch == epoch_) {
      return owner;
    }
    ForgetState(owner);
  }
  return kInvalidId;
}

void NameResolver::SetCandidateName(RowId id, const CommName& name, std::uint64_t taken_ns) {
  if (OwnsPending(id)) {
    pending_.SetCandidate(table_[id].pending, name, taken_ns);
  }
}

void NameResolver::MarkCurrent(RowId id) {
  LeavePending(id);
  table_[id].epoch = epoch_;
}

void NameResolver::ConfirmName(RowId id, const CommName& name) {
  const ProcessRow& row = table_[id];
  if (OwnsPending(id)) {
    ClosePendingAs(row.pending, name);
  } else if (row.pending == kInvalidId) {
    SetName(id, name);
  }
}

void NameResolver::ConfirmNamesUpTo(std::uint64_t applied_until_ns) {
  applied_until_ns_ = applied_until_ns;
  for (PendingCountsId pending = pending_.first_candidate(); pending != kInvalidId;
       pending = pending_.first_candidate()) {
    if (!IsConfirmed(pending_[pending], applied_until_ns, kSnapshotMargin)) {
      return;
    }
    const RowId owner = pending_[pending].owner;
    if (table_[owner].epoch == epoch_) {
      ClosePendingAs(pending, pending_[pending].candidate);
    } else {
      ForgetState(owner);
    }
  }
}

// The name in the snapshot that added the row is a candidate like any other.
void NameResolver::OpenPending(RowId owner) {
  ProcessRow& row = table_[owner];
  const PendingCountsId pending = pending_.Open(owner);
  if (pending == kInvalidId) {
    return;
  }
  if (row.name_state == NameState::kUnconfirmed) {
    pending_.SetCandidate(pending, table_.AttributesOf(owner).value.comm, row.snapshot_ns);
  }
  row.name_state = NameState::kKnown;
  JoinPending(owner, pending);
}

void NameResolver::JoinPending(RowId id, PendingCountsId pending) {
  ProcessRow& row = table_[id];
  row.pending = pending;
  row.previous_in_pending = kInvalidId;
  row.next_in_pending = pending_[pending].first_member;
  if (row.next_in_pending != kInvalidId) {
    table_[row.next_in_pending].previous_in_pending = id;
  }
  pending_[pending].first_member = id;
}

void NameResolver::UnlinkMember(RowId id) {
  ProcessRow& row = table_[id];
  (row.previous_in_pending == kInvalidId ? pending_[row.pending].first_member
                                         : table_[row.previous_in_pending].next_in_pending) = row.next_in_pending;
  if (row.next_in_pending != kInvalidId) {
    table_[row.next_in_pending].previous_in_pending = row.previous_in_pending;
  }
  row.pending = kInvalidId;
}

// Without their owner, pending counts cannot be named any more.
void NameResolver::LeavePending(RowId id) {
  if (OwnsPending(id)) {
    ClosePending(table_[id].pending, Attribution::kUnattributed);
  } else if (table_[id].pending != kInvalidId) {
    UnlinkMember(id);
  }
}

void NameResolver::CloseIfConfirmed(RowId owner, std::uint64_t when_ns, std::uint64_t margin_ns) {
  if (!OwnsPending(owner)) {
    return;
  }
  const PendingCountsId pending = table_[owner].pending;
  if (IsConfirmed(pending_[pending], when_ns, margin_ns)) {
    ClosePendingAs(pending, pending_[pending].candidate);
  }
}

// A COMM event names the exec alone. The other events of the owner, and those of its children, precede the new name,
// and the name at that time is not known.
void NameResolver::ClosePending(PendingCountsId pending, Attribution source, AttributesId named) {
  const RowId owner = pending_[pending].owner;
  if (source == Attribution::kCommEvent) {
    pending_.EmitExecs(pending, ProcessOf(owner, named), sink_);
  }
  const bool names_members = source == Attribution::kProc;
  const bool empty = source != Attribution::kCommEvent && pending_[pending].empty();
  attributions_[Index(source)] += empty ? 0 : 1;
  RowId id = pending_[pending].first_member;
  pending_.Close(pending, ProcessOf(owner, names_members ? named : table_.unattributed()), sink_);
  while (id != kInvalidId) {
    ProcessRow& row = table_[id];
    row.pending = kInvalidId;
    row.name_state = NameState::kUnknown;
    if (names_members) {
      SetName(id, CommName(table_.attributes()[named].value.comm));
    }
    id = row.next_in_pending;
  }
}

void NameResolver::ClosePendingAs(PendingCountsId pending, const CommName& name) {
  const AttributesId named = InternWithName(pending_[pending].owner, name);
  ClosePending(pending, Attribution::kProc, named);
  table_.attributes().Release(named);
}

AttributesId NameResolver::InternWithName(RowId id, const CommName& name) {
  Attributes attributes = table_.AttributesOf(id).value;
  attributes.missing = Attributes::Missing::kNone;
  attributes.comm = name;
  return table_.attributes().Intern(attributes);
}

void NameResolver::SetName(RowId id, const CommName& name) { SetNamed(id, InternWithName(id, name)); }

void NameResolver::SetNamed(RowId id, AttributesId named) {
  table_.SetAttributes(id, named);
  table_.attributes().Release(named);
  table_[id].name_state = NameState::kKnown;
}

}  // namespace procevent
