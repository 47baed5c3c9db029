#include "core/lookup/process_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>
#include <variant>

#include "core/base/system.h"
#include "core/sources/procfs/proc_reader.h"
#include "core/tracker/process_rules.h"

namespace procevent {
namespace {

// Whether the snapshot does not show the name of the process. The name may be that of an exec that failed.
bool LacksName(const ProcSnapshot& snapshot) { return snapshot.without_memory || snapshot.is_unnamed_kernel_thread(); }

}  // namespace

struct ProcessTable::Row {
  Process process;
  StartSource start_source = StartSource::kFork;
  ThreadState threads;
  bool threads_counted = false;     // otherwise events of `threads` may have been missed, and only /proc shows an exit
  std::uint64_t threads_at_ns = 0;  // of the observation that `threads` is based on; 0: it is based on a FORK or EXEC
  std::uint64_t epoch = 0;          // value of epoch_ when it was last valid; 0: stale
  std::uint64_t read_ns = 0;        // time of the last /proc read, which may be ahead of earlier events

  // Whether another process has the PID by now, which started at `start_ns`.
  [[nodiscard]] bool IsReplacedBy(std::uint64_t start_ns) const {
    return process.start_ns != 0 && CompareStarts(start_source, process.start_ns, start_ns) == StartMatch::kLater;
  }
  // A start that /proc showed.
  void SetStart(std::uint64_t start_ns) {
    if (process.start_ns == 0) {
      process.start_ns = start_ns;
      start_source = StartSource::kProc;
    }
  }
  void CountThreads(ThreadState from, std::uint64_t at_ns) {
    threads = from;
    threads_counted = true;
    threads_at_ns = at_ns;
  }
};

ProcessTable::ProcessTable(const ProcessTableOptions& options)
    : limit_(std::max<std::size_t>(options.limit, 1)), proc_(std::make_unique<ProcPidReader>(options.proc.c_str())) {}

ProcessTable::ProcessTable(ProcessTable&&) noexcept = default;
ProcessTable& ProcessTable::operator=(ProcessTable&&) noexcept = default;
ProcessTable::~ProcessTable() = default;

Status ProcessTable::Bootstrap() {
  Invalidate();
  std::array<std::int32_t, 64> pids{};
  while (const std::size_t count = proc_->ListNext(pids)) {
    for (const std::int32_t pid : std::span(pids).first(count)) {
      FindOrCreate(pid, MonotonicNanos());
    }
  }
  Status visible = proc_->CheckVisibility();
  ready_ = visible.ok();
  return visible;
}

void ProcessTable::Apply(const Event& event) {
  std::visit([&](const auto& body) { Handle(body, event.timestamp_ns); }, event.body);
}

std::optional<Process> ProcessTable::Find(std::int32_t pid) {
  const auto found = rows_.find(pid);
  if (found == rows_.end()) {
    return std::nullopt;
  }
  RefreshIfStale(*found->second);
  return found->second->process;
}

void ProcessTable::Handle(const ForkBody& body, std::uint64_t when_ns) {
  if (IsLeader(body.child)) {
    StartProcess(body, when_ns);
  } else if (Row* const row = FindOrCreate(body.child.tgid, when_ns); row != nullptr) {
    row->threads.OnThreadStart(when_ns, row->threads_at_ns);
  }
}

// A name of the parent read from /proc after this FORK may be newer than the FORK. Then, and if the child has not the
// name of the parent, the child itself is read from /proc.
void ProcessTable::StartProcess(const ForkBody& body, std::uint64_t when_ns) {
  const Row* const known = FindOrCreate(body.parent.tgid, when_ns);
  const Row parent = known == nullptr ? Row{} : *known;  // a copy: creating the child may evict the parent
  if (body.child.tgid <= 0) {
    return;
  }
  Erase(body.child.tgid);
  Row& row = Create(body.child.tgid);
  row.process.parent = body.parent.tgid;
  row.process.start_ns = when_ns;
  if (parent.process.command && parent.read_ns <= when_ns && NameOfChild(body.parent) == ChildName::kOfParent) {
    row.process.command = parent.process.command;
    row.process.user = parent.process.user;
    row.epoch = epoch_;
  }
  RefreshIfStale(row);
  row.CountThreads({}, 0);
}

void ProcessTable::Handle(const ExecBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr) {
    SetAlive(*row, true);
    row->process.command.reset();
    ReadProc(*row);
    if (row->process.start_ns <= when_ns) {  // otherwise /proc showed a later process of this PID
      row->threads.OnExec(when_ns, row->threads_at_ns);
      row->threads_counted = true;
    }
  }
}

void ProcessTable::Handle(const ExitBody& body, std::uint64_t when_ns) {
  Row* const row = FindOrCreate(body.task.tgid, when_ns);
  if (row == nullptr) {
    return;
  }
  const bool ended = row->threads.OnThreadExit(IsLeader(body.task), when_ns, row->threads_at_ns);
  if (row->threads_counted ? ended : row->threads.leader_gone && HasExited(*row)) {
    SetAlive(*row, false);
  }
}

void ProcessTable::Adopt(const ObservedProcess& observed) {
  Row* row = FindOrCreate(observed.process.pid, observed.when_ns);
  if (row == nullptr) {
    return;
  }
  if (row->IsReplacedBy(observed.process.start_ns)) {
    Erase(observed.process.pid);
    row = &Create(observed.process.pid);
    row->epoch = epoch_;
  }
  Process& process = row->process;
  process.command = observed.process.command;
  process.user = process.user ? process.user : observed.process.user;
  row->SetStart(observed.process.start_ns);
  if (!row->threads_counted && observed.threads) {
    row->CountThreads(ThreadState::Of(*observed.threads, observed.main_exited), observed.when_ns);
  }
}

// Whether /proc shows no thread of the process any more.
bool ProcessTable::HasExited(const Row& row) const {
  ProcSnapshot snapshot;
  return proc_->ReadWithoutCredentials(row.process.pid, snapshot) != ProcPidReader::ReadStatus::kRead ||
         snapshot.dead || row.IsReplacedBy(snapshot.start_ns);
}

void ProcessTable::Handle(const UidBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr && IsLeader(body.task)) {
    row->process.user = body.effective;
  }
}

void ProcessTable::Handle(const CommBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr && IsLeader(body.task)) {
    row->process.command = CommName(body.comm);
  }
}

// Returns the up-to-date row of the process, and creates it if needed. Returns null if the PID now belongs to a process
// that started after the event: the events of that process are still to come.
ProcessTable::Row* ProcessTable::FindOrCreate(std::int32_t pid, std::uint64_t when_ns) {
  if (pid <= 0) {
    return nullptr;
  }
  const auto found = rows_.find(pid);
  Row& row = found == rows_.end() ? Create(pid) : *found->second;
  RefreshIfStale(row);
  return row.process.start_ns > when_ns ? nullptr : &row;
}

ProcessTable::Row& ProcessTable::Create(std::int32_t pid) {
  while (rows_.size() >= limit_) {
    Erase((exited_.empty() ? living_ : exited_).front().process.pid);
  }
  Row& row = living_.emplace_back();
  row.process.pid = pid;
  rows_[pid] = std::prev(living_.end());
  return row;
}

void ProcessTable::Erase(std::int32_t pid) {
  if (const auto found = rows_.find(pid); found != rows_.end()) {
    (found->second->process.alive ? living_ : exited_).erase(found->second);
    rows_.erase(found);
  }
}

void ProcessTable::SetAlive(Row& row, bool alive) {
  if (std::exchange(row.process.alive, alive) != alive) {
    Rows& from = alive ? exited_ : living_;
    Rows& to = alive ? living_ : exited_;
    to.splice(to.end(), from, rows_.at(row.process.pid));
  }
}

// An exited process keeps its command and user, unless /proc shows another process with its PID.
void ProcessTable::RefreshIfStale(Row& row) {
  if (row.epoch == epoch_) {
    return;
  }
  if (row.process.alive) {
    row.process.command.reset();
    row.process.user.reset();
  }
  ReadProc(row);
}

void ProcessTable::ReadProc(Row& row) {
  ProcSnapshot snapshot;
  const ProcPidReader::ReadStatus status = proc_->ReadSnapshot(row.process.pid, snapshot);
  Process& process = row.process;
  row.threads_counted = false;
  row.threads_at_ns = 0;
  row.epoch = epoch_;
  if (status != ProcPidReader::ReadStatus::kRead) {
    SetAlive(row, process.alive && status == ProcPidReader::ReadStatus::kHidden);
    return;
  }
  if (row.IsReplacedBy(snapshot.start_ns)) {
    process.start_ns = 0;
  }
  if (LacksName(snapshot)) {
    process.command.reset();
    row.epoch = 0;
  } else {
    process.command = snapshot.name;
  }
  process.user = snapshot.euid;
  process.parent = snapshot.parent;
  row.SetStart(snapshot.start_ns);
  row.threads = ThreadState::Of(snapshot.threads, snapshot.leader_gone);
  row.read_ns = snapshot.taken_ns;
  SetAlive(row, !snapshot.dead);
}

}  // namespace procevent
