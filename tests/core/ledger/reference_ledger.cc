#include "tests/core/ledger/reference_ledger.h"

#include <algorithm>
#include <string>
#include <variant>

namespace procevent::reference {
namespace {

std::uint64_t Apart(std::uint64_t one, std::uint64_t other) { return one > other ? one - other : other - one; }

bool IsLeader(const Task& task) { return task.pid == task.tgid; }

}  // namespace

Ledger::Ledger(unsigned cpus, const LedgerOptions& options)
    : people(options), limit_(options.process_limit), cpus_(cpus) {}

// Whether the event is new; notes what was lost before it.
bool Ledger::Numbered(const Event& event) {
  if (event.cpu >= cpus_) {
    return true;
  }
  const auto last = last_sequence_.find(event.cpu);
  if (last != last_sequence_.end()) {
    const auto ahead = static_cast<std::int32_t>(event.sequence - last->second);
    if (ahead <= 0) {
      ++repeated;
      return false;
    }
    if (ahead > 1) {
      lost[event.cpu] += static_cast<std::uint64_t>(ahead) - 1;
      Invalidate();
    }
  }
  last_sequence_[event.cpu] = event.sequence;
  return true;
}

void Ledger::Book(const Event& event, std::uint64_t now_ns) {
  if (!Numbered(event)) {
    return;
  }
  const std::string_view kind = kEventNames.at(event.body.index());
  ++events[kind];
  if (kind == "ack") {
    return;
  }
  ++delays;
  delay_sum_ns += now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0;
  if (kind == "fork" || kind == "exec" || kind == "exit") {
    rates.Note(kind == "fork" ? 0 : kind == "exec" ? 1 : 2, event.timestamp_ns);
  }
  std::visit([&](const auto& body) { On(event, body); }, event.body);
}

void Ledger::Advance(std::uint64_t now_ns) {
  rates.Advance(now_ns);
  people.books.Advance(now_ns);
}

void Ledger::On(const Event& event, const ForkBody& body) {
  if (IsLeader(body.child)) {
    ForkProcess(event, body);
    return;
  }
  MakeRoom(1);
  if (!KnownOrFound(body.child.tgid)) {
    people.BookUntracked(CountKind::kThreadsStarted);
    return;
  }
  Process& row = people.rows.at(body.child.tgid);
  row.threads += event.timestamp_ns > row.seen_ns ? 1 : 0;
  ThreadsChanged(row, event.timestamp_ns);
  people.Book(body.child.tgid, CountKind::kThreadsStarted);
}

void Ledger::ForkProcess(const Event& event, const ForkBody& body) {
  MakeRoom(2);
  const std::int32_t child = body.child.tgid;
  const std::int32_t parent = body.parent.tgid;
  if (child == parent || !KnownOrFound(parent) || child <= 0) {
    people.BookUntracked(CountKind::kForks);
    return;
  }
  people.Book(parent, CountKind::kForks);
  if (const auto old = people.rows.find(child); old != people.rows.end()) {
    const bool stale = event.timestamp_ns >= old->second.seen_ns + kMargin;
    dropped["replaced"] += stale ? 1 : 0;  // otherwise /proc had shown this very child
    people.Leave(child);
    people.rows.erase(child);
  }
  Process& row = Begin(child);
  const Process& from = people.rows.at(parent);
  if (body.parent.pid == parent && parent != 2) {
    people.Inherit(child, parent);
  } else {
    people.StayUnnamed(child);  // it has the name of a thread, or of a kernel thread
    if (parent != 2) {
      people.Open(child);
    }
  }
  row.to_see = parent == 2;
  row.forked_ns = event.timestamp_ns;
  row.changed_ns = event.timestamp_ns;
  row.euid = from.unsure ? std::nullopt : from.euid;
  row.egid = from.unsure ? std::nullopt : from.egid;
}

void Ledger::On(const Event& event, const ExecBody& body) {
  MakeRoom(1);
  const ExecKey key{event.cpu, event.sequence};
  if (!KnownOrFound(body.task.tgid)) {
    people.BookUntracked(CountKind::kExecs, key);
    return;
  }
  Process& row = people.rows.at(body.task.tgid);
  people.Execed(body.task.tgid, event.timestamp_ns);
  row.execed = true;
  row.wait_status = 0;
  if (event.timestamp_ns > row.seen_ns) {
    row.threads = 1;
    row.leader_gone = false;
  }
  ThreadsChanged(row, event.timestamp_ns);
  people.Book(body.task.tgid, CountKind::kExecs, key);
}

void Ledger::On(const Event& event, const ExitBody& body) {
  const std::int32_t tgid = body.task.tgid;
  const std::uint64_t when = event.timestamp_ns;
  if (!Known(tgid)) {
    if (IsLeader(body.task)) {
      people.BookUntracked(ExitRecord{.wait_status = body.wait_status});
    } else {
      people.BookUntracked(CountKind::kThreadsEnded);
    }
    return;
  }
  Process& row = people.rows.at(tgid);
  if (body.wait_status != 0) {
    row.wait_status = body.wait_status;
  }
  if (when > row.seen_ns || (IsLeader(body.task) && !row.leader_gone)) {
    row.leader_gone = row.leader_gone || IsLeader(body.task);
    const std::uint32_t least = row.leader_gone ? 0 : 1;
    row.threads = std::max(row.threads - 1, least);
  }
  if (row.threads > 0) {
    ThreadsChanged(row, when);
    people.Book(tgid, CountKind::kThreadsEnded);
    return;
  }
  const bool lived = row.forked_ns && !row.unsure;
  const std::uint64_t lifetime = lived && when > *row.forked_ns ? when - *row.forked_ns : 0;
  people.Book(
      tgid,
      ExitRecord{
          .wait_status = row.wait_status, .unexeced = lived && !row.execed, .lived = lived, .lifetime_ns = lifetime});
  people.Ended(tgid, when);
  people.rows.erase(tgid);
}

void Ledger::On(const Event& event, const UidBody& body) {
  OnCredential(event, body.task, body.effective,
               {&Process::euid, CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther});
}

void Ledger::On(const Event& event, const GidBody& body) {
  OnCredential(event, body.task, body.effective,
               {&Process::egid, CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther});
}

void Ledger::OnCredential(const Event& event, const Task& task, std::uint32_t effective, const Credential& credential) {
  MakeRoom(1);
  if (!KnownOrFound(task.tgid)) {
    people.BookUntracked(credential.other);
    return;
  }
  Process& row = people.rows.at(task.tgid);
  CountKind count = credential.other;
  if (IsLeader(task)) {
    const std::optional<std::uint32_t> before = row.unsure ? std::nullopt : row.*credential.known;
    if (before && *before != 0 && effective == 0) {
      count = credential.gained;
    } else if (before && *before == 0 && effective != 0) {
      count = credential.left;
    }
    row.*credential.known = IdOf(effective);
    row.changed_ns = std::max(row.changed_ns, event.timestamp_ns);
  }
  people.Book(task.tgid, count);
}

void Ledger::On(const Event& /*event*/, const PtraceBody& body) {
  MakeRoom(2);
  const bool traced = KnownOrFound(body.task.tgid);
  const bool attached = body.tracer.tgid != 0;
  std::int32_t tracer = body.tracer.tgid;
  if (traced) {
    tracer = attached ? tracer : people.rows.at(body.task.tgid).tracer;
    people.rows.at(body.task.tgid).tracer = body.tracer.tgid;
  }
  const CountKind count = attached ? CountKind::kAttached : CountKind::kDetached;
  if (attached ? KnownOrFound(tracer) : Known(tracer)) {
    people.Book(tracer, count);
  } else {
    people.BookUntracked(count);
  }
}

void Ledger::On(const Event& event, const CommBody& body) {
  if (!IsLeader(body.task)) {
    return;
  }
  MakeRoom(1);
  if (KnownOrFound(body.task.tgid)) {
    Process& row = people.rows.at(body.task.tgid);
    row.changed_ns = std::max(row.changed_ns, event.timestamp_ns);
    people.Renamed(body.task.tgid, NameOf(CommName(body.comm)), event.timestamp_ns);
  }
}

void Ledger::On(const Event& /*event*/, const CoredumpBody& body) {
  if (Known(body.task.tgid)) {
    people.Book(body.task.tgid, CountKind::kCoredumps);
  } else {
    people.BookUntracked(CountKind::kCoredumps);
  }
}

void Ledger::ThreadsChanged(Process& row, std::uint64_t when_ns) {
  row.changed_ns = std::max(row.changed_ns, when_ns);
  if (row.seen_ns != 0 && Apart(when_ns, row.seen_ns) < kMargin) {
    row.unsure = true;
    row.to_see = true;
  }
}

void Ledger::MakeRoom(std::size_t rows) {
  while (people.rows.size() + rows > limit_ && !people.rows.empty()) {
    const auto oldest = std::ranges::min_element(
        people.rows, [](const auto& one, const auto& other) { return one.second.order < other.second.order; });
    Drop(oldest->first, "evicted");
  }
}

bool Ledger::Known(std::int32_t tgid) {
  if (!people.rows.contains(tgid)) {
    return false;
  }
  people.Refresh(tgid);
  return true;
}

bool Ledger::KnownOrFound(std::int32_t tgid) {
  if (Known(tgid)) {
    return true;
  }
  if (tgid <= 0 || people.rows.size() == limit_) {
    return false;
  }
  Begin(tgid);
  people.Refresh(tgid);
  ++found["event"];
  return true;
}

Process& Ledger::Begin(std::int32_t tgid) {
  Process& row = people.rows[tgid];
  row.order = ++begun_;
  return row;
}

void Ledger::Drop(std::int32_t tgid, std::string_view why) {
  ++dropped[why];
  people.Leave(tgid);
  people.rows.erase(tgid);
}

std::uint64_t Ledger::Threads() const {
  std::uint64_t threads = 0;
  for (const auto& [tgid, row] : people.rows) {
    threads += row.threads;
  }
  return threads;
}

}  // namespace procevent::reference
