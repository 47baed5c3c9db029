#include "core/ledger/process_tracker.h"

#include <algorithm>
#include <variant>

namespace procevent {
namespace {

constexpr Census::Effects kUidEffects{Count::kUidGainedRoot, Count::kUidLeftRoot, Count::kUidOther};
constexpr Census::Effects kGidEffects{Count::kGidGainedRoot, Count::kGidLeftRoot, Count::kGidOther};

Count EffectOf(const Census::Effects& effects, std::uint32_t before, std::uint32_t after) {
  if (before == kNoId || (before == 0) == (after == 0)) {
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

void Census::Book(const Event& event) {
  std::visit([&](const auto& body) { On(body, event.timestamp_ns); }, event.body);
}

void Census::On(const ForkBody& body, std::uint64_t when_ns) {
  if (body.child.pid == body.child.tgid) {
    StartProcess(body, when_ns);
  } else {
    StartThread(body.child, when_ns);
  }
}

// A child has the name of the thread that forked it, and only the leader's is known. Kernel threads are named without
// an event, a moment after kthreadd has forked them: too late for a look at once. A row that is there already was found
// in /proc before this FORK was read, and all that happens to the child follows; or its end was not seen.
void Census::StartProcess(const ForkBody& body, std::uint64_t when_ns) {
  MakeRoom(2);
  const RowId parent = body.parent.tgid != body.child.tgid ? KnownOrFound(body.parent.tgid) : kNowhere;
  if (parent == kNowhere || body.child.tgid <= 0) {
    names_.BookUntracked(Count::kForks);
    return;
  }
  names_.Book(parent, Count::kForks);
  if (const RowId old = table_.Find(body.child.tgid); old != kNowhere) {
    Replace(old, when_ns);
  }
  const RowId child = table_.Begin(body.child.tgid);
  if (body.parent.tgid == kKthreadd) {
    names_.Unname(child);
    table_.SetToSee(child);
  } else if (body.parent.pid == body.parent.tgid) {
    names_.Inherit(child, parent);
  } else {
    names_.LookFor(child);
  }
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.start_ns = when_ns;
  row.changed_ns = when_ns;
  row.euid = from.unsure ? kNoId : from.euid;
  row.egid = from.unsure ? kNoId : from.egid;
}

void Census::StartThread(const Task& child, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(child.tgid);
  if (id == kNowhere) {
    names_.BookUntracked(Count::kThreadsStarted);
    return;
  }
  if (when_ns > table_[id].seen_ns) {
    table_.SetThreads(id, table_[id].threads + 1);
  }
  NoteThreads(id, when_ns);
  names_.Book(id, Count::kThreadsStarted);
}

// An exec by a thread that is not the leader takes the leader's place, and the others are gone by then.
void Census::On(const ExecBody& body, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(body.task.tgid);
  if (id == kNowhere) {
    names_.BookUntracked(Count::kExecs);
    return;
  }
  ProcessRow& row = table_[id];
  names_.Execed(id, when_ns);
  row.execed = true;
  row.wait_status = 0;
  if (when_ns > row.seen_ns) {
    table_.SetThreads(id, 1);
    row.leader_gone = false;
  }
  NoteThreads(id, when_ns);
  names_.Book(id, Count::kExecs);
}

void Census::On(const ExitBody& body, std::uint64_t when_ns) {
  const bool leader = body.task.pid == body.task.tgid;
  const RowId id = Known(body.task.tgid);
  if (id != kNowhere) {
    EndThread(id, body, when_ns);
  } else if (leader) {
    names_.BookUntracked(End{.status = DecodeWaitStatus(body.wait_status)});
  } else {
    names_.BookUntracked(Count::kThreadsEnded);
  }
}

// The last thread's status alone may be wrong: that of the process is the one among them that is not zero.
void Census::EndThread(RowId id, const ExitBody& body, std::uint64_t when_ns) {
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
  names_.Book(id, Count::kThreadsEnded);
}

void Census::EndProcess(RowId id, std::uint64_t when_ns) {
  const ProcessRow& row = table_[id];
  const bool lived = row.start_ns != 0 && !row.unsure;
  names_.Book(id, End{.status = DecodeWaitStatus(row.wait_status),
                      .unexeced = lived && !row.execed,
                      .lived = lived,
                      .lifetime_ns = when_ns > row.start_ns ? when_ns - row.start_ns : 0});
  names_.Ended(id, when_ns);
  table_.End(id);
}

void Census::On(const UidBody& body, std::uint64_t when_ns) {
  BookCredential(body.task, body.effective, kUidEffects, &ProcessRow::euid, when_ns);
}

void Census::On(const GidBody& body, std::uint64_t when_ns) {
  BookCredential(body.task, body.effective, kGidEffects, &ProcessRow::egid, when_ns);
}

// What a thread other than the leader gains or loses is its own.
void Census::BookCredential(const Task& task, std::uint32_t effective, const Effects& effects,
                            std::uint32_t ProcessRow::*known, std::uint64_t when_ns) {
  MakeRoom(1);
  const RowId id = KnownOrFound(task.tgid);
  if (id == kNowhere) {
    names_.BookUntracked(effects.other);
  } else if (task.pid != task.tgid) {
    names_.Book(id, effects.other);
  } else {
    ProcessRow& row = table_[id];
    names_.Book(id, EffectOf(effects, row.unsure ? kNoId : row.*known, effective));
    row.*known = effective;
    NoteChange(id, when_ns);
  }
}

// A detachment does not say who was attached.
void Census::On(const PtraceBody& body, std::uint64_t /*when_ns*/) {
  MakeRoom(2);
  const RowId traced = KnownOrFound(body.task.tgid);
  const bool attached = body.tracer.tgid != 0;
  const std::int32_t tracer = attached ? body.tracer.tgid : traced == kNowhere ? 0 : table_[traced].tracer;
  if (traced != kNowhere) {
    table_[traced].tracer = body.tracer.tgid;
  }
  const RowId id = attached ? KnownOrFound(tracer) : Known(tracer);
  const Count count = attached ? Count::kAttached : Count::kDetached;
  if (id == kNowhere) {
    names_.BookUntracked(count);
  } else {
    names_.Book(id, count);
  }
}

// A thread may have a name of its own; the label is the leader's.
void Census::On(const CommBody& body, std::uint64_t when_ns) {
  if (body.task.pid != body.task.tgid) {
    return;
  }
  MakeRoom(1);
  const RowId id = KnownOrFound(body.task.tgid);
  if (id != kNowhere) {
    names_.Renamed(id, CommName(body.comm), when_ns);
    NoteChange(id, when_ns);
  }
}

void Census::On(const CoredumpBody& body, std::uint64_t /*when_ns*/) {
  const RowId id = Known(body.task.tgid);
  if (id == kNowhere) {
    names_.BookUntracked(Count::kCoredumps);
  } else {
    names_.Book(id, Count::kCoredumps);
  }
}

RowId Census::Begin(const Sighting& sighting, Found how) {
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

void Census::Drop(RowId id, Dropped why) {
  ++dropped_[static_cast<std::size_t>(why)];
  names_.Vanished(id);
  table_.End(id);
}

void Census::Replace(RowId old, std::uint64_t forked_ns) {
  if (forked_ns < table_[old].seen_ns + kForkMargin) {
    names_.Vanished(old);
    table_.End(old);
  } else {
    Drop(old, Dropped::kReplaced);
  }
}

RowId Census::Known(std::int32_t tgid) {
  const RowId id = table_.Find(tgid);
  if (id != kNowhere) {
    names_.Refresh(id);
  }
  return id;
}

RowId Census::KnownOrFound(std::int32_t tgid) {
  const RowId id = Known(tgid);
  return id == kNowhere && tgid > 0 && table_.room() > 0 ? BeginUnknown(tgid, Found::kEvent) : id;
}

RowId Census::BeginUnknown(std::int32_t tgid, Found how) {
  ++found_[static_cast<std::size_t>(how)];
  const RowId id = table_.Begin(tgid);
  names_.Refresh(id);  // nothing is known of it yet
  return id;
}

void Census::NoteThreads(RowId id, std::uint64_t when_ns) {
  NoteChange(id, when_ns);
  if (table_[id].seen_ns != 0 && TooClose(when_ns, table_[id].seen_ns)) {
    table_.SetUnsure(id);
  }
}

// Events of two CPUs may be read in another order than they were made.
void Census::NoteChange(RowId id, std::uint64_t when_ns) {
  table_[id].changed_ns = std::max(table_[id].changed_ns, when_ns);
}

// Before anything else, so that no row goes that an event is being booked to: whoever went may begin anew. A table
// without any rows stays as it is: then nobody is tracked.
void Census::MakeRoom(std::size_t rows) {
  while (table_.room() < rows && table_.size() > 0) {
    Drop(table_.oldest(), Dropped::kEvicted);
  }
}

}  // namespace procevent
