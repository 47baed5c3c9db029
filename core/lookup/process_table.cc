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

// What /proc tells of a start is in hundredths of a second, and may be too early by the time between two looks at a
// clock.
constexpr std::uint64_t kStartMargin = 50 * kNanosPerMilli;

constexpr std::int32_t kKthreadd = 2;

// Whoever has the number later started later. One that started before its FORK was made is the same.
bool IsAnother(const Process& known, const ProcSnapshot& seen) {
  return known.start_ns != 0 && seen.start_ns > known.start_ns + kStartMargin;
}

// Kernel threads are named without an event, a moment after kthreadd has forked them.
bool AwaitsItsName(const ProcSnapshot& sighting) {
  return sighting.parent == kKthreadd && sighting.name == CommName("kthreadd");
}

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
      Known(pid, MonotonicNanos());
    }
  }
  const Status seen = proc_->CheckVisibility();
  ready_ = seen.ok();
  return seen;
}

void ProcessTable::Apply(const Event& event) {
  std::visit([&](const auto& body) { On(body, event.timestamp_ns); }, event.body);
}

std::optional<Process> ProcessTable::Find(std::int32_t pid) {
  const auto found = rows_.find(pid);
  if (found == rows_.end()) {
    return std::nullopt;
  }
  EndDoubt(*found->second);
  return found->second->process;
}

void ProcessTable::On(const ForkBody& body, std::uint64_t when_ns) {
  if (body.child.pid == body.child.tgid) {
    StartProcess(body, when_ns);
  } else if (Row* const row = Known(body.child.tgid, when_ns); row != nullptr && row->threads) {
    ++*row->threads;
  }
}

// A child has the name of the thread that forked it, and only the first one's is known. What /proc said of the parent
// after this FORK may be the name that it took later. In both cases the child itself is looked at.
void ProcessTable::StartProcess(const ForkBody& body, std::uint64_t when_ns) {
  const Row* const known = Known(body.parent.tgid, when_ns);
  const Row parent = known == nullptr ? Row{} : *known;  // it may have to make room for the child
  if (body.child.tgid <= 0) {
    return;
  }
  Forget(body.child.tgid);
  Row& row = Begin(body.child.tgid);
  row.process.parent = body.parent.tgid;
  row.process.start_ns = when_ns;
  if (parent.process.command && parent.seen_ns <= when_ns && body.parent.pid == body.parent.tgid &&
      body.parent.tgid != kKthreadd) {
    row.process.command = parent.process.command;
    row.process.user = parent.process.user;
    row.epoch = epoch_;
  }
  EndDoubt(row);
  row.threads = 1;
}

// One thread is left, and it is the first, whoever called.
void ProcessTable::On(const ExecBody& body, std::uint64_t when_ns) {
  if (Row* const row = Known(body.task.tgid, when_ns); row != nullptr) {
    SetAlive(*row, true);
    row->process.command.reset();
    LookAt(*row);
    row->threads = 1;
    row->first_gone = false;
  }
}

void ProcessTable::On(const ExitBody& body, std::uint64_t when_ns) {
  Row* const row = Known(body.task.tgid, when_ns);
  if (row == nullptr) {
    return;
  }
  row->first_gone = row->first_gone || body.task.pid == body.task.tgid;
  if (row->threads && *row->threads > 0) {
    --*row->threads;
  }
  if (row->first_gone && IsLast(*row)) {
    SetAlive(*row, false);
  } else if (row->threads && !row->first_gone) {
    row->threads = std::max(*row->threads, 1U);  // that of a thread which an exec ended may come after the EXEC
  }
}

// The first thread has ended: whether no other is left.
bool ProcessTable::IsLast(const Row& row) const {
  if (row.threads) {
    return *row.threads == 0;
  }
  ProcSnapshot sighting;
  switch (proc_->ReadWithoutCredentials(row.process.pid, sighting)) {
    case ProcPidReader::ReadStatus::kRead:
      return sighting.dead || IsAnother(row.process, sighting);
    case ProcPidReader::ReadStatus::kGone:
    case ProcPidReader::ReadStatus::kHidden:
      break;
  }
  return true;
}

void ProcessTable::On(const UidBody& body, std::uint64_t when_ns) {
  if (Row* const row = Known(body.task.tgid, when_ns); row != nullptr && body.task.pid == body.task.tgid) {
    row->process.user = body.effective;
  }
}

void ProcessTable::On(const CommBody& body, std::uint64_t when_ns) {
  if (Row* const row = Known(body.task.tgid, when_ns); row != nullptr && body.task.pid == body.task.tgid) {
    row->process.command = CommName(body.comm);
  }
}

// Its row, without a doubt, and begun if there was none. None if the number belongs to a process by now that started
// after the event: what happens to that one is still to come.
ProcessTable::Row* ProcessTable::Known(std::int32_t pid, std::uint64_t when_ns) {
  if (pid <= 0) {
    return nullptr;
  }
  const auto found = rows_.find(pid);
  Row& row = found == rows_.end() ? Begin(pid) : *found->second;
  EndDoubt(row);
  return row.process.start_ns > when_ns ? nullptr : &row;
}

ProcessTable::Row& ProcessTable::Begin(std::int32_t pid) {
  while (rows_.size() >= limit_) {
    Forget((ended_.empty() ? living_ : ended_).front().process.pid);
  }
  Row& row = living_.emplace_back();
  row.process.pid = pid;
  rows_[pid] = std::prev(living_.end());
  return row;
}

void ProcessTable::Forget(std::int32_t pid) {
  if (const auto found = rows_.find(pid); found != rows_.end()) {
    (found->second->process.alive ? living_ : ended_).erase(found->second);
    rows_.erase(found);
  }
}

void ProcessTable::SetAlive(Row& row, bool alive) {
  if (std::exchange(row.process.alive, alive) != alive) {
    Rows& from = alive ? ended_ : living_;
    Rows& to = alive ? living_ : ended_;
    to.splice(to.end(), from, rows_.at(row.process.pid));
  }
}

// What had ended before stays what it was, unless /proc shows another process by its number.
void ProcessTable::EndDoubt(Row& row) {
  if (row.epoch == epoch_) {
    return;
  }
  if (row.process.alive) {
    row.process.command.reset();
    row.process.user.reset();
  }
  LookAt(row);
}

void ProcessTable::LookAt(Row& row) {
  ProcSnapshot sighting;
  const ProcPidReader::ReadStatus look = proc_->ReadSnapshot(row.process.pid, sighting);
  Process& process = row.process;
  row.threads.reset();
  row.epoch = epoch_;
  if (look != ProcPidReader::ReadStatus::kRead) {
    SetAlive(row, process.alive && look == ProcPidReader::ReadStatus::kHidden);
    return;
  }
  if (IsAnother(process, sighting)) {
    process.start_ns = 0;
  }
  if (AwaitsItsName(sighting)) {
    process.command.reset();
    row.epoch = 0;
  } else {
    process.command = sighting.name;
  }
  process.user = sighting.euid;
  process.parent = sighting.parent;
  process.start_ns = process.start_ns == 0 ? sighting.start_ns : process.start_ns;
  row.first_gone = sighting.leader_gone;
  row.seen_ns = sighting.taken_ns;
  SetAlive(row, !sighting.dead);
}

}  // namespace procevent
