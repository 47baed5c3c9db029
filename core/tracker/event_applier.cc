#include "core/tracker/event_applier.h"

#include <algorithm>
#include <variant>

#include "core/tracker/process_rules.h"

namespace procevent {
namespace {

constexpr EventApplier::CredentialCountKinds kUidKinds{CountKind::kUidGainedRoot, CountKind::kUidLeftRoot,
                                                       CountKind::kUidOther};
constexpr EventApplier::CredentialCountKinds kGidKinds{CountKind::kGidGainedRoot, CountKind::kGidLeftRoot,
                                                       CountKind::kGidOther};

CountKind CredentialKindOf(const EventApplier::CredentialCountKinds& kinds, std::uint32_t before, std::uint32_t after) {
  if (before == kUnknownId || (before == 0) == (after == 0)) {
    return kinds.other;
  }
  return after == 0 ? kinds.gained : kinds.left;
}

// Whether the order of an event and a snapshot cannot be derived from their times.
bool AreWithinMargin(std::uint64_t event_ns, std::uint64_t snapshot_ns) {
  return !CertainlyPrecedes(event_ns, snapshot_ns) && !CertainlyPrecedes(snapshot_ns, event_ns);
}

}  // namespace

void EventApplier::ApplyEvent(const Event& event) {
  std::visit([&](const auto& body) { Apply(body, event.timestamp_ns); }, event.body);
}

void EventApplier::Apply(const ForkBody& body, std::uint64_t when_ns) {
  if (IsLeader(body.child)) {
    StartProcess(body, when_ns);
  } else {
    StartThread(body.child, when_ns);
  }
}

void EventApplier::StartProcess(const ForkBody& body, std::uint64_t when_ns) {
  EvictUntilFree(2);
  const RowId parent = body.parent.tgid != body.child.tgid ? FindOrAddRow(body.parent.tgid) : kInvalidId;
  if (parent == kInvalidId || body.child.tgid <= 0) {
    resolver_.EmitUntracked(body.parent.tgid, CountKind::kForks, when_ns);
    return;
  }
  resolver_.Emit(parent, CountKind::kForks, when_ns);
  if (const RowId old = table_.Find(body.child.tgid); old != kInvalidId) {
    EraseReplaced(old, when_ns);
  }
  const RowId child = table_.Insert(body.child.tgid);
  switch (NameOfChild(body.parent)) {
    case ChildName::kOfParent:
      resolver_.InheritName(child, parent);
      break;
    case ChildName::kOfAnotherThread:
      resolver_.RequestName(child);
      break;
    case ChildName::kOfKernelThread:
      resolver_.MarkCurrent(child);
      table_.RequestSnapshot(child);
      break;
  }
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.parent = body.parent.tgid;
  row.start_ns = when_ns;
  row.changed_ns = when_ns;
  row.euid = from.uncertain ? kUnknownId : from.euid;
  row.egid = from.uncertain ? kUnknownId : from.egid;
}

void EventApplier::StartThread(const Task& child, std::uint64_t when_ns) {
  const RowId id = FindOrAddRow(child.tgid);
  if (id == kInvalidId) {
    resolver_.EmitUntracked(child.tgid, CountKind::kThreadsStarted, when_ns);
    return;
  }
  ThreadState threads = table_[id].threads;
  threads.OnThreadStart(when_ns, table_[id].snapshot_ns);
  table_.SetThreads(id, threads);
  MarkThreadsChanged(id, when_ns);
  resolver_.Emit(id, CountKind::kThreadsStarted, when_ns);
}

void EventApplier::Apply(const ExecBody& body, std::uint64_t when_ns) {
  const RowId id = FindOrAddRow(body.task.tgid);
  if (id == kInvalidId) {
    resolver_.EmitUntracked(body.task.tgid, CountKind::kExecs, when_ns);
    return;
  }
  ProcessRow& row = table_[id];
  resolver_.OnExec(id, when_ns);
  row.has_executed = true;
  row.exit_status.OnExec();
  ThreadState threads = row.threads;
  threads.OnExec(when_ns, row.snapshot_ns);
  table_.SetThreads(id, threads);
  MarkThreadsChanged(id, when_ns);
  resolver_.Emit(id, CountKind::kExecs, when_ns);
}

void EventApplier::Apply(const ExitBody& body, std::uint64_t when_ns) {
  const RowId id = FindRow(body.task.tgid);
  if (id != kInvalidId) {
    EndThread(id, body, when_ns);
  } else if (IsLeader(body.task)) {
    const ProcessExit exit{.status = DecodeWaitStatus(body.wait_status), .pid = body.task.tgid};
    resolver_.EmitUntracked(exit.pid, ExitCountKindOf(exit), when_ns, &exit);
  } else {
    resolver_.EmitUntracked(body.task.tgid, CountKind::kThreadsEnded, when_ns);
  }
}

void EventApplier::EndThread(RowId id, const ExitBody& body, std::uint64_t when_ns) {
  ProcessRow& row = table_[id];
  const bool leader = IsLeader(body.task);
  row.exit_status.OnThreadExit(leader, when_ns, body.wait_status);
  ThreadState threads = row.threads;
  if (threads.OnThreadExit(leader, when_ns, row.snapshot_ns)) {
    EndProcess(id, when_ns);
    return;
  }
  table_.SetThreads(id, threads);
  MarkThreadsChanged(id, when_ns);
  resolver_.Emit(id, CountKind::kThreadsEnded, when_ns);
}

void EventApplier::EndProcess(RowId id, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  const bool lifetime_known = row.start_ns != 0 && !row.uncertain;
  const ProcessExit exit{.status = DecodeWaitStatus(row.exit_status.wait_status()),
                         .without_exec = lifetime_known && !row.has_executed,
                         .lifetime_known = lifetime_known,
                         .pid = row.tgid,
                         .lifetime_ns = when_ns > row.start_ns ? when_ns - row.start_ns : 0};
  resolver_.Emit(id, exit, when_ns);
  resolver_.OnExit(id, when_ns);
  table_.Erase(id);
}

void EventApplier::Apply(const UidBody& body, std::uint64_t when_ns) {
  RecordCredential(body.task, body.effective, kUidKinds, &ProcessRow::euid, when_ns);
}

void EventApplier::Apply(const GidBody& body, std::uint64_t when_ns) {
  RecordCredential(body.task, body.effective, kGidKinds, &ProcessRow::egid, when_ns);
}

void EventApplier::RecordCredential(const Task& task, std::uint32_t effective, const CredentialCountKinds& kinds,
                                    std::uint32_t ProcessRow::*known, std::uint64_t when_ns) {
  const RowId id = FindOrAddRow(task.tgid);
  if (id == kInvalidId) {
    resolver_.EmitUntracked(task.tgid, kinds.other, when_ns);
  } else if (!IsLeader(task)) {
    resolver_.Emit(id, kinds.other, when_ns);
  } else {
    ProcessRow& row = table_[id];
    resolver_.Emit(id, CredentialKindOf(kinds, row.uncertain ? kUnknownId : row.*known, effective), when_ns);
    row.*known = effective;
    MarkChanged(id, when_ns);
  }
}

void EventApplier::Apply(const PtraceBody& body, std::uint64_t when_ns) {
  EvictUntilFree(2);
  const RowId traced = FindOrAddRow(body.task.tgid);
  const bool attached = body.tracer.tgid != 0;
  const std::int32_t tracer = attached ? body.tracer.tgid : traced == kInvalidId ? 0 : table_[traced].tracer;
  if (traced != kInvalidId) {
    table_[traced].tracer = body.tracer.tgid;
  }
  const RowId id = attached ? FindOrAddRow(tracer) : FindRow(tracer);
  const CountKind kind = attached ? CountKind::kAttached : CountKind::kDetached;
  if (id == kInvalidId) {
    resolver_.EmitUntracked(tracer, kind, when_ns);
  } else {
    resolver_.Emit(id, kind, when_ns);
  }
}

void EventApplier::Apply(const CommBody& body, std::uint64_t when_ns) {
  if (!IsLeader(body.task)) {
    return;
  }
  const RowId id = FindOrAddRow(body.task.tgid);
  if (id != kInvalidId) {
    resolver_.OnRename(id, CommName(body.comm), when_ns);
    MarkChanged(id, when_ns);
  }
}

void EventApplier::Apply(const CoredumpBody& body, std::uint64_t when_ns) {
  const RowId id = FindRow(body.task.tgid);
  if (id == kInvalidId) {
    resolver_.EmitUntracked(body.task.tgid, CountKind::kCoredumps, when_ns);
  } else {
    resolver_.Emit(id, CountKind::kCoredumps, when_ns);
  }
}

RowId EventApplier::AddProcess(const ProcSnapshot& snapshot, ProcessFoundReason reason) {
  const RowId id = AddUnknown(snapshot.tgid, reason);
  table_.SetFromSnapshot(id, snapshot);
  return id;
}

void EventApplier::DropProcess(RowId id, ProcessDropReason reason) {
  ++dropped_[static_cast<std::size_t>(reason)];
  resolver_.OnUnobservedExit(id);
  table_.Erase(id);
}

void EventApplier::EraseReplaced(RowId old, std::uint64_t forked_ns) {
  if (!CertainlyPrecedes(table_[old].snapshot_ns, forked_ns)) {
    resolver_.OnUnobservedExit(old);
    table_.Erase(old);
  } else {
    DropProcess(old, ProcessDropReason::kReplaced);
  }
}

RowId EventApplier::FindRow(std::int32_t tgid) {
  const RowId id = table_.Find(tgid);
  if (id != kInvalidId) {
    resolver_.ForgetIfStale(id);
  }
  return id;
}

RowId EventApplier::FindOrAddRow(std::int32_t tgid) {
  EvictUntilFree(1);
  const RowId id = FindRow(tgid);
  return id == kInvalidId && tgid > 0 && table_.free_rows() > 0 ? AddUnknown(tgid, ProcessFoundReason::kEvent) : id;
}

RowId EventApplier::AddUnknown(std::int32_t tgid, ProcessFoundReason reason) {
  ++found_[static_cast<std::size_t>(reason)];
  const RowId id = table_.Insert(tgid);
  resolver_.ForgetIfStale(id);  // sets the epoch: nothing else is known yet
  return id;
}

void EventApplier::MarkThreadsChanged(RowId id, std::uint64_t when_ns) {
  MarkChanged(id, when_ns);
  if (table_[id].snapshot_ns != 0 && AreWithinMargin(when_ns, table_[id].snapshot_ns)) {
    table_.MarkUncertain(id);
  }
}

// Events of different CPUs may arrive in another order than they were made.
void EventApplier::MarkChanged(RowId id, std::uint64_t when_ns) {
  table_[id].changed_ns = std::max(table_[id].changed_ns, when_ns);
}

// A table of capacity 0 evicts nothing: processes are not tracked then.
void EventApplier::EvictUntilFree(std::size_t rows) {
  while (table_.free_rows() < rows && table_.size() > 0) {
    DropProcess(table_.oldest(), ProcessDropReason::kEvicted);
  }
}

}  // namespace procevent
