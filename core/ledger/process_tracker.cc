#include "core/ledger/process_tracker.h"

#include <algorithm>
#include <variant>

namespace procevent {
namespace {

constexpr ProcessTracker::CredentialCountKinds kUidEffects{CountKind::kUidGainedRoot, CountKind::kUidLeftRoot,
                                                           CountKind::kUidOther};
constexpr ProcessTracker::CredentialCountKinds kGidEffects{CountKind::kGidGainedRoot, CountKind::kGidLeftRoot,
                                                           CountKind::kGidOther};

CountKind EffectOf(const ProcessTracker::CredentialCountKinds& effects, std::uint32_t before, std::uint32_t after) {
  if (before == kUnknownId || (before == 0) == (after == 0)) {
    return effects.other;
  }
  return after == 0 ? effects.gained : effects.left;
}

constexpr std::int32_t kKthreadd = 2;

// The farthest that two moments may be apart and still be told from each other.
bool TooClose(std::uint64_t one_ns, std::uint64_t other_ns) {
  return std::max(one_ns, other_ns) - std::min(one_ns, other_ns) < kThreadsMargin;
}

}  // namespace

void ProcessTracker::ApplyEvent(const Event& event) {
  std::visit([&](const auto& body) { On(body, event.timestamp_ns); }, event.body);
}

void ProcessTracker::On(const ForkBody& body, std::uint64_t when_ns) {
  if (body.child.pid == body.child.tgid) {
    StartProcess(body, when_ns);
  } else {
    StartThread(body.child, when_ns);
  }
}

// A child has the name of the thread that forked it, and only the leader's is known. Kernel threads are named without
// an event, a moment after kthreadd has forked them: too late for a look at once. A row that is there already was found
// in /proc before this FORK was read, and all that happens to the child follows; or its end was not seen.
void ProcessTracker::StartProcess(const ForkBody& body, std::uint64_t when_ns) {
  MakeRoom(2);
  const RowId parent = body.parent.tgid != body.child.tgid ? KnownOrFound(body.parent.tgid) : kInvalidId;
  if (parent == kInvalidId || body.child.tgid <= 0) {
    names_.RecordUntracked(CountKind::kForks);
    return;
  }
  names_.Record(parent, CountKind::kForks);
  if (const RowId old = table_.Find(body.child.tgid); old != kInvalidId) {
    Replace(old, when_ns);
  }
  const RowId child = table_.Insert(body.child.tgid);
  if (body.parent.tgid == kKthreadd) {
    names_.ClearName(child);
    table_.RequestSnapshot(child);
  } else if (body.parent.pid == body.parent.tgid) {
    names_.InheritName(child, parent);
  } else {
    names_.RequestName(child);
  }
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.start_ns = when_ns;
  row.changed_ns = when_ns;
  row.euid = from.unsure ? kUnknownId : from.euid;
  row.egid = from.unsure ? kUnknownId : from.egid;
}

void ProcessTracker::StartThread(const Task& child, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(child.tgid);
  if (id == kInvalidId) {
    names_.RecordUntracked(CountKind::kThreadsStarted);
    return;
  }
  if (when_ns > table_[id].seen_ns) {
    table_.SetThreads(id, table_[id].threads + 1);
  }
  NoteThreads(id, when_ns);
  names_.Record(id, CountKind::kThreadsStarted);
}

// An exec by a thread that is not the leader takes the leader's place, and the others are gone by then.
void ProcessTracker::On(const ExecBody& body, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(body.task.tgid);
  if (id == kInvalidId) {
    names_.RecordUntracked(CountKind::kExecs);
    return;
  }
  ProcessRow& row = table_[id];
  names_.OnExec(id, when_ns);
  row.execed = true;
  row.wait_status = 0;
  if (when_ns > row.seen_ns) {
    table_.SetThreads(id, 1);
    row.leader_gone = false;
  }
  NoteThreads(id, when_ns);
  names_.Record(id, CountKind::kExecs);
}

void ProcessTracker::On(const ExitBody& body, std::uint64_t when_ns) {
  const bool leader = body.task.pid == body.task.tgid;
  const RowId id = Known(body.task.tgid);
  if (id != kInvalidId) {
    EndThread(id, body, when_ns);
  } else if (leader) {
    names_.RecordUntracked(ProcessExit{.status = DecodeWaitStatus(body.wait_status)});
  } else {
    names_.RecordUntracked(CountKind::kThreadsEnded);
  }
}

// The last thread's status alone may be wrong: that of the process is the one among them that is not zero.
void ProcessTracker::EndThread(RowId id, const ExitBody& body, std::uint64_t when_ns) {
  ProcessRow& row = table_[id];
  row.wait_status = body.wait_status != 0 ? body.wait_status : row.wait_status;
  // Whoever was seen with its leader alive was seen before the leader's EXIT, whatever the clock says.
  const bool leader = body.task.pid == body.task.tgid;
  if (when_ns > row.seen_ns || (leader && !row.leader_gone)) {
    row.leader_gone = row.leader_gone || leader;
    if (row.leader_gone && row.threads == 1) {
      EndProcess(id, when_ns);
      return;
    }
    // While the leader lives there is one at least: the FORK of this thread was lost.
    table_.SetThreads(id, std::max(row.threads - 1, 1U));
  }
  NoteThreads(id, when_ns);
  names_.Record(id, CountKind::kThreadsEnded);
}

void ProcessTracker::EndProcess(RowId id, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  const bool lived = row.start_ns != 0 && !row.unsure;
  names_.Record(id, ProcessExit{.status = DecodeWaitStatus(row.wait_status),
                                .without_exec = lived && !row.execed,
                                .lifetime_known = lived,
                                .lifetime_ns = when_ns > row.start_ns ? when_ns - row.start_ns : 0});
  names_.OnExit(id, when_ns);
  table_.Erase(id);
}

void ProcessTracker::On(const UidBody& body, std::uint64_t when_ns) {
  BookCredential(body.task, body.effective, kUidEffects, &ProcessRow::euid, when_ns);
}

void ProcessTracker::On(const GidBody& body, std::uint64_t when_ns) {
  BookCredential(body.task, body.effective, kGidEffects, &ProcessRow::egid, when_ns);
}

// What a thread other than the leader gains or loses is its own.
void ProcessTracker::BookCredential(const Task& task, std::uint32_t effective, const CredentialCountKinds& effects,
                                    std::uint32_t ProcessRow::*known, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(task.tgid);
  if (id == kInvalidId) {
    names_.RecordUntracked(effects.other);
  } else if (task.pid != task.tgid) {
    names_.Record(id, effects.other);
  } else {
    ProcessRow& row = table_[id];
    names_.Record(id, EffectOf(effects, row.unsure ? kUnknownId : row.*known, effective));
    row.*known = effective;
    NoteChange(id, when_ns);
  }
}

// A detachment does not say who was attached.
void ProcessTracker::On(const PtraceBody& body, std::uint64_t /*when_ns*/) {
  MakeRoom(2);
  const RowId traced = KnownOrFound(body.task.tgid);
  const bool attached = body.tracer.tgid != 0;
  const std::int32_t tracer = attached ? body.tracer.tgid : traced == kInvalidId ? 0 : table_[traced].tracer;
  if (traced != kInvalidId) {
    table_[traced].tracer = body.tracer.tgid;
  }
  const RowId id = attached ? KnownOrFound(tracer) : Known(tracer);
  const CountKind count = attached ? CountKind::kAttached : CountKind::kDetached;
  if (id == kInvalidId) {
    names_.RecordUntracked(count);
  } else {
    names_.Record(id, count);
  }
}

// A thread may have a name of its own; the label is the leader's.
void ProcessTracker::On(const CommBody& body, std::uint64_t when_ns) {
  if (body.task.pid != body.task.tgid) {
    return;
  }
  MakeRoom(1);
  const RowId id = KnownOrFound(body.task.tgid);
  if (id != kInvalidId) {
    names_.OnRename(id, CommName(body.comm), when_ns);
    NoteChange(id, when_ns);
  }
}

void ProcessTracker::On(const CoredumpBody& body, std::uint64_t /*when_ns*/) {
  const RowId id = Known(body.task.tgid);
  if (id == kInvalidId) {
    names_.RecordUntracked(CountKind::kCoredumps);
  } else {
    names_.Record(id, CountKind::kCoredumps);
  }
}

RowId ProcessTracker::AddProcess(const ProcSnapshot& sighting, ProcessFoundReason how) {
  MakeRoom(1);
  const RowId id = BeginUnknown(sighting.tgid, how);
  ProcessRow& row = table_[id];
  table_.SetThreads(id, sighting.threads);
  row.leader_gone = sighting.leader_gone;
  row.seen_ns = sighting.taken_ns;
  row.euid = sighting.euid;
  row.egid = sighting.egid;
  return id;
}

void ProcessTracker::DropProcess(RowId id, ProcessDropReason why) {
  ++dropped_[static_cast<std::size_t>(why)];
  names_.OnUnobservedExit(id);
  table_.Erase(id);
}

void ProcessTracker::Replace(RowId old, std::uint64_t forked_ns) {
  if (forked_ns < table_[old].seen_ns + kForkMargin) {
    names_.OnUnobservedExit(old);
    table_.Erase(old);
  } else {
    DropProcess(old, ProcessDropReason::kReplaced);
  }
}

RowId ProcessTracker::Known(std::int32_t tgid) {
  const RowId id = table_.Find(tgid);
  if (id != kInvalidId) {
    names_.ForgetIfStale(id);
  }
  return id;
}

RowId ProcessTracker::KnownOrFound(std::int32_t tgid) {
  const RowId id = Known(tgid);
  return id == kInvalidId && tgid > 0 && table_.free_rows() > 0 ? BeginUnknown(tgid, ProcessFoundReason::kEvent) : id;
}

RowId ProcessTracker::BeginUnknown(std::int32_t tgid, ProcessFoundReason how) {
  ++found_[static_cast<std::size_t>(how)];
  const RowId id = table_.Insert(tgid);
  names_.ForgetIfStale(id);  // nothing is known of it yet
  return id;
}

void ProcessTracker::NoteThreads(RowId id, std::uint64_t when_ns) {
  NoteChange(id, when_ns);
  if (table_[id].seen_ns != 0 && TooClose(when_ns, table_[id].seen_ns)) {
    table_.MarkUncertain(id);
  }
}

// Events of two CPUs may be read in another order than they were made.
void ProcessTracker::NoteChange(RowId id, std::uint64_t when_ns) {
  table_[id].changed_ns = std::max(table_[id].changed_ns, when_ns);
}

// Before anything else, so that no row goes that an event is being booked to: whoever went may begin anew. A table
// without any rows stays as it is: then nobody is tracked.
void ProcessTracker::MakeRoom(std::size_t rows) {
  while (table_.free_rows() < rows && table_.size() > 0) {
    DropProcess(table_.oldest(), ProcessDropReason::kEvicted);
  }
}

}  // namespace procevent
