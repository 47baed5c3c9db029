#include "cmd/watch/captured_names.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "core/protocol/decoder.h"
#include "core/tracker/process_rules.h"

namespace procevent {
namespace {

constexpr std::size_t kLimit = 65'536;  // of each container, as of the process table
constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

bool ShowsProcess(const ProcRead& read) {
  return read.kind != ProcRead::Kind::kGone && read.kind != ProcRead::Kind::kHidden;
}

ObservedProcess Observed(const ProcSnapshot& snapshot) {
  return {.process = {.pid = snapshot.tgid,
                      .command = snapshot.name,
                      .user = snapshot.euid == kUnknownId ? std::nullopt : std::optional(snapshot.euid),
                      .start_ns = snapshot.start_ns},
          .when_ns = snapshot.taken_ns,
          .threads = snapshot.dead ? std::nullopt : std::optional(snapshot.threads),
          .main_exited = snapshot.leader_gone};
}

}  // namespace

CapturedNames::CapturedNames(const CaptureSummary& summary)
    : gaps_are_losses_(summary.coverage == EventCoverage::kAll),
      sequence_(summary.cpus()),
      last_event_ns_(summary.cpus()) {}

void CapturedNames::Add(const PacketContent& content) {
  if (const auto* const datagram = FindInput<ConnectorDatagram>(content)) {
    ForEachMessage(datagram->bytes, [this](const Message& message) {
      if (message.outcome == DecodeOutcome::kEvent) {
        AddEvent(message.event);
      }
    });
  } else if (const auto* const read = FindInput<ProcRead>(content)) {
    AddSnapshot(*read);
  } else if (const auto* const watermark = FindInput<Watermark>(content)) {
    ConfirmUpTo(watermark->applied_until_ns);
  } else if (FindInput<Invalidation>(content) != nullptr) {
    ++added_steps_;
    InvalidateAll(last_ns_);
  }
}

void CapturedNames::Finish() {
  for (auto& [pid, period] : periods_) {
    AcceptBefore(period, kEnd);
  }
}

void CapturedNames::ApplyNextStep(ProcessTable& table) {
  while (!accepted_.empty() && accepted_.begin()->first <= applied_steps_) {
    table.Adopt(Observed(accepted_.begin()->second));
    accepted_.erase(accepted_.begin());
  }
  ++applied_steps_;
}

void CapturedNames::AddEvent(const Event& event) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence);
  if (arrival.duplicate) {
    return;
  }
  ++added_steps_;
  if (arrival.lost > 0 && gaps_are_losses_) {
    InvalidateAll(last_event_ns_[event.cpu]);
  }
  if (event.cpu < last_event_ns_.size()) {
    last_event_ns_[event.cpu] = event.timestamp_ns;
  }
  last_ns_ = std::max(last_ns_, event.timestamp_ns);
  if (const auto* const fork = std::get_if<ForkBody>(&event.body); fork != nullptr && IsLeader(fork->child)) {
    BeginPeriod(fork->child.tgid, event.timestamp_ns, fork->parent.tgid);
  } else if (const auto* const exec = std::get_if<ExecBody>(&event.body)) {
    BeginPeriod(exec->task.tgid, event.timestamp_ns);
  } else if (const auto* const comm = std::get_if<CommBody>(&event.body); comm != nullptr && IsLeader(comm->task)) {
    BeginPeriod(comm->task.tgid, event.timestamp_ns);
  } else if (const auto* const uid = std::get_if<UidBody>(&event.body); uid != nullptr && IsLeader(uid->task)) {
    ChangeUser(uid->task.tgid, event.timestamp_ns);
  }
}

// The first snapshot of a period is enough for its name. If that lacks the user, a later one adds it.
void CapturedNames::AddSnapshot(const ProcRead& read) {
  ProcSnapshot snapshot = read.snapshot;
  Period& period = FindPeriod(snapshot.tgid);
  snapshot.parent = snapshot.parent == 0 ? period.parent : snapshot.parent;  // version 1 has no parent
  if (!ShowsProcess(read) || !snapshot.has_reliable_name() || snapshot.is_unnamed_kernel_thread()) {
    return;
  }
  snapshot.euid = period.user_changed ? kUnknownId : snapshot.euid;
  if (period.name && (period.user_known || snapshot.euid == kUnknownId)) {
    return;
  }
  snapshot.name = period.name.value_or(snapshot.name);
  period.name = snapshot.name;
  period.user_known = snapshot.euid != kUnknownId;
  period.unconfirmed.push_back(snapshot);
  unconfirmed_.emplace_back(snapshot.taken_ns, snapshot.tgid);
}

// An exit begins none: the process keeps its name until its PID is reused.
void CapturedNames::BeginPeriod(std::int32_t pid, std::uint64_t when_ns, std::int32_t parent) {
  Period& period = FindPeriod(pid);
  AcceptBefore(period, when_ns);
  period = {.since_step = added_steps_, .parent = parent, .name = {}, .unconfirmed = {}};
}

void CapturedNames::ChangeUser(std::int32_t pid, std::uint64_t when_ns) {
  Period& period = FindPeriod(pid);
  for (ProcSnapshot& snapshot : period.unconfirmed) {
    snapshot.euid = CertainlyPrecedes(snapshot.taken_ns, when_ns) ? snapshot.euid : kUnknownId;
  }
  period.user_changed = true;
}

// No earlier event follows, so none contradicts a snapshot taken before.
void CapturedNames::ConfirmUpTo(std::uint64_t applied_until_ns) {
  while (!unconfirmed_.empty() && CertainlyPrecedes(unconfirmed_.front().first, applied_until_ns)) {
    if (const auto found = periods_.find(unconfirmed_.front().second); found != periods_.end()) {
      AcceptBefore(found->second, applied_until_ns);
    }
    unconfirmed_.pop_front();
  }
}

// A snapshot after the last event before the loss may show the result of a lost event.
void CapturedNames::InvalidateAll(std::uint64_t lost_after_ns) {
  for (auto& [pid, period] : periods_) {
    AcceptBefore(period, lost_after_ns);
  }
  Forget();
}

void CapturedNames::Forget() {
  periods_.clear();
  unconfirmed_.clear();
  unknown_until_step_ = added_steps_;
}

// Keeps younger processes, since their snapshots are still to come. A snapshot of another process is valid from now on.
void CapturedNames::ForgetOldest() {
  const std::size_t middle = unknown_until_step_ + (added_steps_ - unknown_until_step_) / 2;
  std::erase_if(periods_, [middle](const auto& entry) {
    return entry.second.since_step < middle && entry.second.unconfirmed.empty();
  });
  if (std::max(periods_.size(), unconfirmed_.size()) > kLimit / 4 * 3) {
    Forget();
  }
  unknown_until_step_ = added_steps_;
}

// Accepts the snapshots of a period that show the state before a change.
void CapturedNames::AcceptBefore(Period& period, std::uint64_t change_ns) {
  std::erase_if(period.unconfirmed, [&](const ProcSnapshot& snapshot) {
    const bool accepted = CertainlyPrecedes(snapshot.taken_ns, change_ns);
    if (accepted && accepted_.size() < kLimit) {
      accepted_.emplace(period.since_step, snapshot);
    }
    return accepted;
  });
}

CapturedNames::Period& CapturedNames::FindPeriod(std::int32_t pid) {
  if (std::max(periods_.size(), unconfirmed_.size()) >= kLimit) {
    ForgetOldest();
  }
  const auto [found, inserted] = periods_.try_emplace(pid);
  if (inserted) {
    found->second.since_step = unknown_until_step_;
  }
  return found->second;
}

}  // namespace procevent
