#include "tests/core/reference/reference_tracker.h"

#include <algorithm>
#include <variant>

namespace procevent::reference {
namespace {

std::uint64_t Distance(std::uint64_t one, std::uint64_t other) { return one > other ? one - other : other - one; }

bool IsLeader(const Task& task) { return task.pid == task.tgid; }

// The status of the latest exit, or, if that is 0, of the leader's latest exit in the two milliseconds before.
std::uint32_t WaitStatusOf(std::vector<ThreadExit> exits) {
  std::ranges::stable_sort(exits, {}, &ThreadExit::when_ns);
  const ThreadExit last = exits.back();
  std::erase_if(exits, [](const ThreadExit& exit) { return !exit.leader; });
  const bool leader_counts = !exits.empty() && exits.back().when_ns + 2'000'000 >= last.when_ns;
  return last.wait_status == 0 && leader_counts ? exits.back().wait_status : last.wait_status;
}

}  // namespace

void ReferenceTracker::ApplyEvent(const Event& event) {
  std::visit([&](const auto& body) { Apply(event, body); }, event.body);
}

void ReferenceTracker::Apply(const Event& event, const ForkBody& body) {
  if (IsLeader(body.child)) {
    ForkProcess(event, body);
    return;
  }
  EvictUntilFree(1);
  if (!FindOrAddRow(body.child.tgid)) {
    resolver.RecordUntracked(CountKind::kThreadsStarted, event.timestamp_ns);
    return;
  }
  Process& row = resolver.rows.at(body.child.tgid);
  row.threads += event.timestamp_ns > row.snapshot_ns ? 1 : 0;
  MarkThreadsChanged(row, event.timestamp_ns);
  resolver.Record(body.child.tgid, CountKind::kThreadsStarted, event.timestamp_ns);
}

void ReferenceTracker::ForkProcess(const Event& event, const ForkBody& body) {
  EvictUntilFree(2);
  const std::int32_t child = body.child.tgid;
  const std::int32_t parent = body.parent.tgid;
  if (child == parent || !FindOrAddRow(parent) || child <= 0) {
    resolver.RecordUntracked(CountKind::kForks, event.timestamp_ns);
    return;
  }
  resolver.Record(parent, CountKind::kForks, event.timestamp_ns);
  if (const auto old = resolver.rows.find(child); old != resolver.rows.end()) {
    const bool replaced = event.timestamp_ns >= old->second.snapshot_ns + kMargin;
    dropped["replaced"] += replaced ? 1 : 0;  // otherwise /proc showed this child already
    resolver.LeavePending(child);
    resolver.rows.erase(child);
  }
  Process& row = AddRow(child);
  const Process& from = resolver.rows.at(parent);
  if (body.parent.pid == parent && parent != 2) {
    resolver.InheritName(child, parent);
  } else {
    resolver.ClearName(child);  // named like its forking thread, or later by kthreadd
    if (parent != 2) {
      resolver.OpenPending(child);
    }
  }
  row.needs_snapshot = parent == 2;
  row.forked_ns = event.timestamp_ns;
  row.changed_ns = event.timestamp_ns;
  row.euid = from.uncertain ? std::nullopt : from.euid;
  row.egid = from.uncertain ? std::nullopt : from.egid;
}

void ReferenceTracker::Apply(const Event& event, const ExecBody& body) {
  EvictUntilFree(1);
  const ExecKey key{event.cpu, event.sequence};
  if (!FindOrAddRow(body.task.tgid)) {
    resolver.RecordUntracked(CountKind::kExecs, event.timestamp_ns, key);
    return;
  }
  Process& row = resolver.rows.at(body.task.tgid);
  resolver.OnExec(body.task.tgid, event.timestamp_ns);
  row.has_executed = true;
  row.exits.clear();
  if (event.timestamp_ns > row.snapshot_ns) {
    row.threads = 1;
    row.leader_gone = false;
  }
  MarkThreadsChanged(row, event.timestamp_ns);
  resolver.Record(body.task.tgid, CountKind::kExecs, event.timestamp_ns, key);
}

void ReferenceTracker::Apply(const Event& event, const ExitBody& body) {
  const std::int32_t tgid = body.task.tgid;
  const std::uint64_t when = event.timestamp_ns;
  if (!FindRow(tgid)) {
    if (IsLeader(body.task)) {
      resolver.RecordUntracked(ExitRecord{.when_ns = when, .wait_status = body.wait_status});
    } else {
      resolver.RecordUntracked(CountKind::kThreadsEnded, when);
    }
    return;
  }
  Process& row = resolver.rows.at(tgid);
  row.exits.push_back({.when_ns = when, .leader = IsLeader(body.task), .wait_status = body.wait_status % 65'536});
  if (when > row.snapshot_ns || (IsLeader(body.task) && !row.leader_gone)) {
    row.leader_gone = row.leader_gone || IsLeader(body.task);
    const std::uint32_t least = row.leader_gone ? 0 : 1;
    row.threads = std::max(row.threads - 1, least);
  }
  if (row.threads > 0) {
    MarkThreadsChanged(row, when);
    resolver.Record(tgid, CountKind::kThreadsEnded, when);
    return;
  }
  const bool lifetime_known = row.forked_ns && !row.uncertain;
  const std::uint64_t lifetime = lifetime_known && when > *row.forked_ns ? when - *row.forked_ns : 0;
  resolver.Record(tgid, ExitRecord{.when_ns = when,
                                   .wait_status = WaitStatusOf(row.exits),
                                   .without_exec = lifetime_known && !row.has_executed,
                                   .lifetime_known = lifetime_known,
                                   .lifetime_ns = lifetime});
  resolver.OnExit(tgid, when);
  resolver.rows.erase(tgid);
}

void ReferenceTracker::Apply(const Event& event, const UidBody& body) {
  RecordCredential(event, body.task, body.effective,
                   {&Process::euid, CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther});
}

void ReferenceTracker::Apply(const Event& event, const GidBody& body) {
  RecordCredential(event, body.task, body.effective,
                   {&Process::egid, CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther});
}

void ReferenceTracker::RecordCredential(const Event& event, const Task& task, std::uint32_t effective,
                                        const Credential& credential) {
  EvictUntilFree(1);
  if (!FindOrAddRow(task.tgid)) {
    resolver.RecordUntracked(credential.other, event.timestamp_ns);
    return;
  }
  Process& row = resolver.rows.at(task.tgid);
  CountKind kind = credential.other;
  if (IsLeader(task)) {
    const std::optional<std::uint32_t> before = row.uncertain ? std::nullopt : row.*credential.known;
    if (before && *before != 0 && effective == 0) {
      kind = credential.gained;
    } else if (before && *before == 0 && effective != 0) {
      kind = credential.left;
    }
    row.*credential.known = IdOf(effective);
    row.changed_ns = std::max(row.changed_ns, event.timestamp_ns);
  }
  resolver.Record(task.tgid, kind, event.timestamp_ns);
}

void ReferenceTracker::Apply(const Event& event, const PtraceBody& body) {
  EvictUntilFree(2);
  const bool traced = FindOrAddRow(body.task.tgid);
  const bool attached = body.tracer.tgid != 0;
  std::int32_t tracer = body.tracer.tgid;
  if (traced) {
    tracer = attached ? tracer : resolver.rows.at(body.task.tgid).tracer;
    resolver.rows.at(body.task.tgid).tracer = body.tracer.tgid;
  }
  const CountKind kind = attached ? CountKind::kAttached : CountKind::kDetached;
  if (attached ? FindOrAddRow(tracer) : FindRow(tracer)) {
    resolver.Record(tracer, kind, event.timestamp_ns);
  } else {
    resolver.RecordUntracked(kind, event.timestamp_ns);
  }
}

void ReferenceTracker::Apply(const Event& event, const CommBody& body) {
  if (!IsLeader(body.task)) {
    return;
  }
  EvictUntilFree(1);
  if (FindOrAddRow(body.task.tgid)) {
    Process& row = resolver.rows.at(body.task.tgid);
    row.changed_ns = std::max(row.changed_ns, event.timestamp_ns);
    resolver.OnRename(body.task.tgid, NameOf(CommName(body.comm)), event.timestamp_ns);
  }
}

void ReferenceTracker::Apply(const Event& event, const CoredumpBody& body) {
  if (FindRow(body.task.tgid)) {
    resolver.Record(body.task.tgid, CountKind::kCoredumps, event.timestamp_ns);
  } else {
    resolver.RecordUntracked(CountKind::kCoredumps, event.timestamp_ns);
  }
}

void ReferenceTracker::MarkThreadsChanged(Process& row, std::uint64_t when_ns) {
  row.changed_ns = std::max(row.changed_ns, when_ns);
  if (row.snapshot_ns != 0 && Distance(when_ns, row.snapshot_ns) < kMargin) {
    row.uncertain = true;
    row.needs_snapshot = true;
  }
}

void ReferenceTracker::EvictUntilFree(std::size_t rows) {
  while (resolver.rows.size() + rows > limit_ && !resolver.rows.empty()) {
    const auto oldest = std::ranges::min_element(
        resolver.rows, [](const auto& one, const auto& other) { return one.second.order < other.second.order; });
    DropProcess(oldest->first, "evicted");
  }
}

bool ReferenceTracker::FindRow(std::int32_t tgid) {
  if (!resolver.rows.contains(tgid)) {
    return false;
  }
  resolver.ForgetIfStale(tgid);
  return true;
}

bool ReferenceTracker::FindOrAddRow(std::int32_t tgid) {
  if (FindRow(tgid)) {
    return true;
  }
  if (tgid <= 0 || resolver.rows.size() == limit_) {
    return false;
  }
  AddRow(tgid);
  resolver.ForgetIfStale(tgid);
  ++found["event"];
  return true;
}

Process& ReferenceTracker::AddRow(std::int32_t tgid) {
  Process& row = resolver.rows[tgid];
  row.order = ++rows_added_;
  return row;
}

void ReferenceTracker::DropProcess(std::int32_t tgid, std::string_view reason) {
  ++dropped[reason];
  resolver.LeavePending(tgid);
  resolver.rows.erase(tgid);
}

std::uint64_t ReferenceTracker::Threads() const {
  std::uint64_t threads = 0;
  for (const auto& [tgid, row] : resolver.rows) {
    threads += row.threads;
  }
  return threads;
}

}  // namespace procevent::reference
