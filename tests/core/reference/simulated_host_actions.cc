// The actions of simulated processes. Each shows in /proc first, and in an event a moment later.
#include <algorithm>
#include <array>

#include "tests/core/reference/simulated_host.h"

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;

}  // namespace

void SimulatedHost::ActRandomly(Process& process) {
  const bool crowded = processes_.size() > options_.processes;
  const std::uint64_t choice = Random(100);
  if (choice < 25) {
    if (!crowded || process.tgid == kInit) {
      Fork(process);
    } else {
      Exit(process);
    }
  } else if (choice < 40) {
    Exec(process);
  } else if (choice < 52) {
    StartThread(process);
  } else if (choice < 64) {
    EndAnyThread(process);
  } else if (choice < 74) {
    Rename(process);
  } else if (choice < 84) {
    ChangeCredential(process);
  } else if (choice < 90) {
    Trace(process);
  } else if (choice < 92) {
    Emit(process, SidBody{AnyThread(process)});
  } else if (choice < 93) {
    Emit(process, UnknownBody{});
  } else {
    Exit(process);
  }
}

// Orphans are children of init.
SimulatedHost::Process& SimulatedHost::ParentOf(const Process& process) {
  const auto parent = processes_.find(process.parent);
  const bool alive = parent != processes_.end() && !parent->second.running.empty();
  return alive && parent->second.serial < process.serial ? parent->second : processes_[kInit];
}

// /proc shows the child before the event is made; both processes are busy until then.
void SimulatedHost::Fork(Process& process) {
  const std::int32_t pid = NewPid();
  if (pid == 0) {
    return;
  }
  const Task caller = AnyThread(process);
  const Task parent = Chance(0.05) ? Leader(ParentOf(process)) : caller;  // CLONE_PARENT
  Process& child = processes_[pid];
  child = {.tgid = pid,
           .parent = parent.tgid,
           .serial = ++last_serial_,
           .name = process.name,
           .running = {pid},
           .visible = {pid},
           .start_ns = now_ns_,
           .euid = process.euid,
           .egid = process.egid,
           .cpu = static_cast<std::uint32_t>(Random(options_.cpus)),
           .busy = true};
  process.busy = true;
  tgids_.push_back(pid);
  const std::uint64_t delay = EventDelay();
  Schedule(process, delay, [this, parent, pid](Process& by) {
    by.busy = false;
    Emit(by, ForkBody{parent, {pid, pid}});
    Process& forked = processes_[pid];
    forked.busy = false;
    if (Chance(0.6)) {
      ScheduleExecOrExit(forked);
    }
  });
}

// Most children execute a program or exit soon.
void SimulatedHost::ScheduleExecOrExit(Process& process) {
  process.busy = true;
  Schedule(process, Random(Chance(0.5) ? kMilli : 30 * kMilli), [this](Process& child) {
    child.busy = false;
    if (Chance(0.7)) {
      Exec(child);
    } else {
      Exit(child);
    }
  });
}

void SimulatedHost::StartThread(Process& process) {
  const std::int32_t pid = NewPid();
  if (pid == 0) {
    return;
  }
  const Task caller = AnyThread(process);
  process.visible.insert(pid);
  process.busy = true;
  Schedule(process, EventDelay(), [this, caller, pid](Process& by) {
    by.busy = false;
    by.running.insert(pid);
    Emit(by, ForkBody{caller, {pid, by.tgid}});
  });
}

// The event is made at once, and /proc counts the thread a little longer. After its last thread the process is a
// zombie, which is reaped later.
void SimulatedHost::EndThread(Process& process, std::int32_t pid, std::uint32_t wait_status) {
  process.running.erase(pid);
  const Task parent{process.parent, process.parent};
  Emit(process, ExitBody{{pid, process.tgid}, wait_status, 17, parent});
  const std::uint64_t delay = EventDelay();
  Schedule(process, delay, [this, pid](Process& by) {
    by.visible.erase(pid);
    if (pid != by.tgid) {
      ReleasePid(pid);
    }
    if (by.visible.empty()) {
      Schedule(by, Random(20 * kMilli), [this](Process& zombie) { Reap(zombie); });
    }
  });
}

void SimulatedHost::EndAnyThread(Process& process) {
  if (process.running.size() > 1) {
    EndThread(process, AnyThread(process).pid, Chance(0.3) ? 5U << 8U : 0);  // the leader may be the first
  }
}

void SimulatedHost::Reap(Process& process) {
  const std::int32_t tgid = process.tgid;
  processes_.erase(tgid);
  ReleasePid(tgid);
}

// The other threads exit, and the calling thread becomes the leader. The name changes a moment before the event.
void SimulatedHost::Exec(Process& process) {
  if (process.tgid == kInit) {
    return;
  }
  const std::int32_t caller = AnyThread(process).pid;
  process.busy = true;
  for (const std::int32_t pid : std::set<std::int32_t>(process.running)) {
    if (pid != caller) {
      EndThread(process, pid, 0);
    }
  }
  Schedule(process, options_.max_delay_ns + 1, [this, caller](Process& by) {
    if (caller != by.tgid) {
      by.visible.insert(by.tgid);
      by.visible.erase(caller);
      by.running = {by.tgid};
      ReleasePid(caller);
    }
    ReplaceImage(by);
  });
}

void SimulatedHost::ReplaceImage(Process& process) {
  const std::size_t image = images_.size();
  images_.emplace_back();
  if (process.image != 0) {
    images_[process.image].next = image;
  }
  process.image = image;
  SetName(process, NewName());
  Schedule(process, EventDelay(), [this, image](Process& by) {
    by.busy = false;
    Emit(by, ExecBody{Leader(by)});
    image_of_[{by.cpu, sequences_[by.cpu]}] = image;
    if (Chance(0.3)) {
      ScheduleExecOrExit(by);
    }
  });
}

void SimulatedHost::SetName(Process& process, const std::string& name) {
  process.name = name;
  images_[process.image].names.insert(name);
}

void SimulatedHost::Rename(Process& process) {
  const Task task = AnyThread(process);
  const std::string name = NewName();
  if (task.pid != process.tgid) {
    Emit(process, CommBody{task, CommOf(name)});
    return;
  }
  SetName(process, name);
  process.busy = true;
  Schedule(process, EventDelay(), [this, name](Process& by) {
    by.busy = false;
    Emit(by, CommBody{Leader(by), CommOf(name)});
  });
}

void SimulatedHost::ChangeCredential(Process& process) {
  const Task task = AnyThread(process);
  const std::uint32_t id = Chance(0.5) ? 0 : 1000;
  if (Chance(0.5)) {
    process.euid = task.pid == process.tgid ? id : process.euid;
    Emit(process, UidBody{task, 1000, id});
  } else {
    process.egid = task.pid == process.tgid ? id : process.egid;
    Emit(process, GidBody{task, 1000, id});
  }
}

void SimulatedHost::Trace(Process& process) {
  const Task task = AnyThread(process);
  if (process.tracer != 0) {
    process.tracer = 0;
    Emit(process, PtraceBody{task, {}});
  } else if (Process* tracer = AnyIdleProcess(); tracer != nullptr && tracer != &process) {
    process.tracer = tracer->tgid;
    Emit(process, PtraceBody{task, Leader(*tracer)});
  }
}

// Exits by exit(3), by a signal, or thread by thread, in random order. With some delay after the first thread, so that
// a leader's status is still that of the process, or not any more.
void SimulatedHost::Exit(Process& process) {
  if (process.tgid == kInit) {
    return;
  }
  constexpr std::array<std::uint32_t, 8> kStatuses{0, 0, 0, 1, 2, 127, 254, 255};
  constexpr std::array<std::uint32_t, 4> kSignals{2, 9, 15, 64};
  constexpr std::array<std::uint32_t, 3> kDumpingSignals{6, 8, 11};
  std::uint32_t status = kStatuses.at(Random(kStatuses.size())) << 8U;
  if (Chance(0.2)) {
    status = kSignals.at(Random(kSignals.size()));
  } else if (Chance(0.1)) {
    status = kDumpingSignals.at(Random(kDumpingSignals.size())) | 0x80U;
    Emit(process, CoredumpBody{AnyThread(process), {process.parent, process.parent}});
  }
  std::vector<std::int32_t> pids(process.running.begin(), process.running.end());
  std::ranges::shuffle(pids, random_);
  const bool same_status = Chance(0.9);
  EndThread(process, pids.front(), status);
  process.busy = true;
  Schedule(process, Chance(0.5) ? 0 : Random(4 * kMilli), [=, this](Process& by) {
    for (const std::int32_t pid : pids) {
      if (pid != pids.front()) {
        EndThread(by, pid, same_status || Chance(0.3) ? status : 0);
      }
    }
  });
}

}  // namespace procevent
