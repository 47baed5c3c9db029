#include "core/lookup/process_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>
#include <variant>

#include "core/base/system.h"
#include "core/sources/procfs/proc_reader.h"

namespace procevent {
namespace {

// Start times from /proc have a resolution of 10 ms. They may be too early by the time between two clock reads, because
// they are converted from boot time.
constexpr std::uint64_t kStartTolerance = 50 * kNanosPerMilli;

// Whether the PID was reused. A later process with the same PID has a later start time. A start before the recorded
// FORK is the same process.
bool IsOtherProcess(const Process& known, std::uint64_t start_ns) {
  return known.start_ns != 0 && start_ns > known.start_ns + kStartTolerance;
}

// Whether the snapshot does not show the name of the process. The name may be that of an exec that failed.
bool LacksName(const ProcSnapshot& snapshot) { return snapshot.without_memory || snapshot.is_unnamed_kernel_thread(); }

}  // namespace

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
  if (body.child.pid == body.child.tgid) {
    StartProcess(body, when_ns);
  } else if (Row* const row = FindOrCreate(body.child.tgid, when_ns);
             row != nullptr && row->threads && when_ns > row->threads_at_ns) {
    ++*row->threads;
  }
}

// A child inherits the name of the forking thread, and the table knows only names of main threads. A name of the parent
// read from /proc after this FORK may be newer than the FORK. In both cases the child itself is read from /proc.
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
  if (parent.process.command && parent.read_ns <= when_ns && body.parent.pid == body.parent.tgid &&
      body.parent.tgid != kKthreadd) {
    row.process.command = parent.process.command;
    row.process.user = parent.process.user;
    row.epoch = epoch_;
  }
  RefreshIfStale(row);
  row.threads = 1;
}

// An exec leaves one thread, which becomes the main thread, whichever thread called it.
void ProcessTable::Handle(const ExecBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr) {
    SetAlive(*row, true);
    row->process.command.reset();
    ReadProc(*row);
    row->threads = 1;
    row->threads_at_ns = 0;
    row->main_exited = false;
  }
}

void ProcessTable::Handle(const ExitBody& body, std::uint64_t when_ns) {
  Row* const row = FindOrCreate(body.task.tgid, when_ns);
  if (row == nullptr) {
    return;
  }
  row->main_exited = row->main_exited || body.task.pid == body.task.tgid;
  if (row->threads && *row->threads > 0 && when_ns > row->threads_at_ns) {
    --*row->threads;
  }
  if (row->main_exited && AllThreadsExited(*row)) {
    SetAlive(*row, false);
  } else if (row->threads && !row->main_exited) {
    row->threads = std::max(*row->threads, 1U);  // the EXIT of a thread that an exec terminated may follow the EXEC
  }
}

void ProcessTable::Adopt(const ObservedProcess& observed) {
  Row* row = FindOrCreate(observed.process.pid, observed.when_ns);
  if (row == nullptr) {
    return;
  }
  if (IsOtherProcess(row->process, observed.process.start_ns)) {
    Erase(observed.process.pid);
    row = &Create(observed.process.pid);
    row->epoch = epoch_;
  }
  Process& process = row->process;
  process.command = observed.process.command;
  process.user = process.user ? process.user : observed.process.user;
  process.start_ns = process.start_ns == 0 ? observed.process.start_ns : process.start_ns;
  if (!row->threads && observed.threads) {
    row->threads = observed.threads;
    row->threads_at_ns = observed.when_ns;
    row->main_exited = row->main_exited || observed.main_exited;
  }
}

// Whether no thread is left. Called after the exit of the main thread.
bool ProcessTable::AllThreadsExited(const Row& row) const {
  if (row.threads) {
    return *row.threads == 0;
  }
  ProcSnapshot snapshot;
  return proc_->ReadWithoutCredentials(row.process.pid, snapshot) != ProcPidReader::ReadStatus::kRead ||
         snapshot.dead || IsOtherProcess(row.process, snapshot.start_ns);
}

void ProcessTable::Handle(const UidBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr && body.task.pid == body.task.tgid) {
    row->process.user = body.effective;
  }
}

void ProcessTable::Handle(const CommBody& body, std::uint64_t when_ns) {
  if (Row* const row = FindOrCreate(body.task.tgid, when_ns); row != nullptr && body.task.pid == body.task.tgid) {
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
  row.threads.reset();
  row.epoch = epoch_;
  if (status != ProcPidReader::ReadStatus::kRead) {
    SetAlive(row, process.alive && status == ProcPidReader::ReadStatus::kHidden);
    return;
  }
  if (IsOtherProcess(process, snapshot.start_ns)) {
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
  process.start_ns = process.start_ns == 0 ? snapshot.start_ns : process.start_ns;
  row.main_exited = snapshot.leader_gone;
  row.read_ns = snapshot.taken_ns;
  SetAlive(row, !snapshot.dead);
}

}  // namespace procevent
