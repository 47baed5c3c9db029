#include "cmd/watch/captured_names.h"

#include <algorithm>
#include <variant>

#include "core/ledger/name_resolver.h"
#include "core/protocol/decoder.h"

namespace procevent {
namespace {

constexpr std::int32_t kKthreadd = 2;

// A new kernel thread has the name of kthreadd until the kernel renames it, without an event.
bool HasName(const CapturedProcSnapshot& captured) {
  using Kind = CapturedProcSnapshot::Kind;
  const ProcSnapshot& snapshot = captured.snapshot;
  return captured.kind != Kind::kGone && captured.kind != Kind::kHidden && snapshot.has_reliable_name() &&
         (snapshot.tgid == kKthreadd || snapshot.name != CommName("kthreadd"));
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

void CapturedNames::Add(const CapturedPacket& packet) {
  if (packet.kind == CapturedPacket::Kind::kDatagram) {
    ForEachMessage(packet.payload, [this](const Message& message) {
      if (message.outcome == DecodeOutcome::kEvent) {
        AddEvent(message.event);
      }
    });
    return;
  }
  const auto record = packet.kind == CapturedPacket::Kind::kRecord ? DecodeRecord(packet.payload) : std::nullopt;
  if (!record) {
    return;
  }
  if (const auto* const captured = std::get_if<CapturedProcSnapshot>(&*record)) {
    AddSnapshot(*captured);
  } else if (std::holds_alternative<CapturedInvalidation>(*record)) {
    ++step_;
    InvalidateAll(last_ns_);
  }
}

void CapturedNames::Finish() {
  for (auto& [pid, period] : periods_) {
    Accept(period);
  }
  periods_.clear();
  std::ranges::stable_sort(accepted_, {}, &std::pair<std::size_t, ProcSnapshot>::first);
  step_ = 0;
}

void CapturedNames::ApplyNextStep(ProcessTable& table) {
  for (; next_ < accepted_.size() && accepted_[next_].first <= step_; ++next_) {
    table.Adopt(Observed(accepted_[next_].second));
  }
  ++step_;
}

void CapturedNames::AddEvent(const Event& event) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence);
  if (arrival.duplicate) {
    return;
  }
  ++step_;
  if (arrival.lost > 0 && gaps_are_losses_) {
    InvalidateAll(last_event_ns_[event.cpu]);
  }
  if (event.cpu < last_event_ns_.size()) {
    last_event_ns_[event.cpu] = event.timestamp_ns;
  }
  last_ns_ = std::max(last_ns_, event.timestamp_ns);
  if (const auto* const fork = std::get_if<ForkBody>(&event.body);
      fork != nullptr && fork->child.pid == fork->child.tgid) {
    BeginPeriod(fork->child.tgid, event.timestamp_ns);
  } else if (const auto* const exec = std::get_if<ExecBody>(&event.body)) {
    BeginPeriod(exec->task.tgid, event.timestamp_ns);
  } else if (const auto* const comm = std::get_if<CommBody>(&event.body);
             comm != nullptr && comm->task.pid == comm->task.tgid) {
    BeginPeriod(comm->task.tgid, event.timestamp_ns);
  } else if (const auto* const uid = std::get_if<UidBody>(&event.body)) {
    ChangeUser(uid->task.tgid, event.timestamp_ns);
  }
}

// The first snapshot of a period is enough.
void CapturedNames::AddSnapshot(const CapturedProcSnapshot& captured) {
  if (!HasName(captured)) {
    return;
  }
  Period& period = FindPeriod(captured.snapshot.tgid);
  if (!period.named && !period.pending) {
    period.pending = captured.snapshot;
    if (period.user_changed) {
      period.pending->euid = kUnknownId;
    }
  }
}

void CapturedNames::BeginPeriod(std::int32_t pid, std::uint64_t when_ns) {
  Period& period = FindPeriod(pid);
  DropContradicted(period, when_ns);
  Accept(period);
  period = {.since_step = step_, .pending = {}};
}

void CapturedNames::ChangeUser(std::int32_t pid, std::uint64_t when_ns) {
  Period& period = FindPeriod(pid);
  if (period.pending && period.pending->taken_ns + kSnapshotMargin > when_ns) {
    period.pending->euid = kUnknownId;
  }
  period.user_changed = true;
}

// A snapshot after the last event before the loss may show the result of a lost event.
void CapturedNames::InvalidateAll(std::uint64_t lost_after_ns) {
  for (auto& [pid, period] : periods_) {
    DropContradicted(period, lost_after_ns);
    Accept(period);
  }
  periods_.clear();
  stale_until_step_ = step_;
}

// The snapshot may have been taken after the event that ends its period.
void CapturedNames::DropContradicted(Period& period, std::uint64_t when_ns) {
  if (period.pending && period.pending->taken_ns + kSnapshotMargin > when_ns) {
    period.pending.reset();
  }
}

void CapturedNames::Accept(Period& period) {
  if (period.pending) {
    accepted_.emplace_back(period.since_step, *period.pending);
    period.pending.reset();
    period.named = true;
  }
}

CapturedNames::Period& CapturedNames::FindPeriod(std::int32_t pid) {
  return periods_.try_emplace(pid, Period{.since_step = stale_until_step_, .pending = {}}).first->second;
}

}  // namespace procevent
