#include "tests/core/reference/reference_resolver.h"

#include <algorithm>

namespace procevent::reference {
namespace {

constexpr std::size_t kMaxPendingCounts = 4096;
constexpr std::size_t kMaxPendingExits = 65'536;
constexpr unsigned kMaxRetries = 25;
constexpr std::uint64_t kRetryInterval = 20'000'000;

bool IsConfirmed(const UnnamedCounts& pending, std::uint64_t when_ns, std::uint64_t margin_ns) {
  return pending.candidate && pending.candidate->taken_ns + margin_ns <= when_ns;
}

NameOrReserved NameOrUnattributed(const std::optional<std::string>& name) {
  return name ? NameOrReserved(*name) : ReservedGroup::kUnattributed;
}

}  // namespace

bool ReferenceResolver::OwnsPending(std::int32_t tgid) const {
  const UnnamedCountsPtr& pending = rows.at(tgid).pending;
  return pending && pending->owner == tgid;
}

void ReferenceResolver::ForgetIfStale(std::int32_t tgid) {
  Process& row = rows.at(tgid);
  if (row.losses == losses) {
    return;
  }
  row.losses = losses;
  row.uncertain = true;
  row.needs_snapshot = true;
  LeavePending(tgid);
  row.name.reset();
  row.unconfirmed_name.reset();
}

bool ReferenceResolver::OpenPending(std::int32_t tgid) {
  Process& row = rows.at(tgid);
  if (all_pending_.size() == kMaxPendingCounts) {
    return false;
  }
  row.pending = std::make_shared<UnnamedCounts>();
  row.pending->owner = tgid;
  row.pending->members.insert(tgid);
  all_pending_.insert(row.pending);
  unread_.push_back(row.pending);
  if (row.unconfirmed_name) {
    SetCandidate(tgid, row.unconfirmed_name->name, row.unconfirmed_name->taken_ns);
    row.unconfirmed_name.reset();
  }
  return true;
}

// The first event of a process without a known name opens pending counts, unless that event is its exit.
void ReferenceResolver::Record(std::int32_t tgid, CountKind kind, std::uint64_t when_ns, std::optional<ExecKey> exec) {
  Process& row = rows.at(tgid);
  if (!row.name && !row.pending) {
    if (!OpenPending(tgid)) {
      attributions["unattributed"] += kind == CountKind::kExecs ? 1 : 0;
      emit_({.what = kind, .when_ns = when_ns});
      if (exec) {
        recorded_execs.push_back({*exec, std::nullopt, "unattributed"});
      }
      return;
    }
  }
  if (row.pending) {
    WaitingEvents& waiting = row.pending->events[kind];
    ++waiting.times;
    waiting.latest_ns = std::max(waiting.latest_ns, when_ns);
    emit_({.attributed = false, .what = kind, .when_ns = when_ns});
    if (exec) {
      row.pending->execs.push_back(*exec);
    }
  } else {
    emit_({.what = kind, .when_ns = when_ns, .name = *row.name});
    if (exec) {
      recorded_execs.push_back({*exec, row.name, "known"});
    }
  }
}

void ReferenceResolver::Record(std::int32_t tgid, const ExitRecord& exit) {
  Process& row = rows.at(tgid);
  if (row.unconfirmed_name) {
    OpenPending(tgid);
  }
  if (row.pending && pending_exits_ < kMaxPendingExits) {
    row.pending->exits.push_back(exit);
    ++pending_exits_;
    emit_({.attributed = false, .what = exit.outcome(), .when_ns = exit.when_ns, .exit = exit});
    return;
  }
  const bool was_pending = row.pending != nullptr;
  if (was_pending) {
    ClosePending(row.pending, "unattributed", std::nullopt);
  }
  attributions["unattributed"] += row.name || was_pending ? 0U : 1U;
  emit_({.what = exit.outcome(), .when_ns = exit.when_ns, .name = NameOrUnattributed(row.name), .exit = exit});
}

void ReferenceResolver::RecordUntracked(const ExitRecord& exit) {
  emit_({.what = exit.outcome(), .when_ns = exit.when_ns, .name = ReservedGroup::kUntracked, .exit = exit});
}

void ReferenceResolver::RecordUntracked(CountKind kind, std::uint64_t when_ns, std::optional<ExecKey> exec) {
  emit_({.what = kind, .when_ns = when_ns, .name = ReservedGroup::kUntracked});
  if (exec) {
    recorded_execs.push_back({*exec, std::nullopt, "unattributed"});
  }
}

void ReferenceResolver::InheritName(std::int32_t child, std::int32_t parent) {
  Process& row = rows.at(child);
  row.losses = losses;
  row.name = rows.at(parent).name;
  row.pending = rows.at(parent).pending;
  row.unconfirmed_name.reset();
  if (row.pending) {
    row.pending->members.insert(child);
  }
}

void ReferenceResolver::ClearName(std::int32_t child) {
  Process& row = rows.at(child);
  row.losses = losses;
  row.name.reset();
  row.unconfirmed_name.reset();
}

void ReferenceResolver::CloseIfConfirmed(std::int32_t tgid, std::uint64_t when_ns, std::uint64_t margin_ns) {
  if (OwnsPending(tgid) && IsConfirmed(*rows.at(tgid).pending, when_ns, margin_ns)) {
    const UnnamedCountsPtr pending = rows.at(tgid).pending;
    ClosePending(pending, "proc", pending->candidate->name);
  }
}

void ReferenceResolver::OnExec(std::int32_t tgid, std::uint64_t when_ns) {
  CloseIfConfirmed(tgid, when_ns, kMargin);
  LeavePending(tgid);
  rows.at(tgid).name.reset();
  rows.at(tgid).unconfirmed_name.reset();
}

void ReferenceResolver::OnRename(std::int32_t tgid, const std::string& name, std::uint64_t when_ns) {
  CloseIfConfirmed(tgid, when_ns, kMargin);
  if (OwnsPending(tgid) && rows.at(tgid).pending->events.contains(CountKind::kExecs)) {
    ClosePending(rows.at(tgid).pending, "comm_event", name);
  }
  LeavePending(tgid);
  rows.at(tgid).name = name;
  rows.at(tgid).unconfirmed_name.reset();
}

void ReferenceResolver::OnExit(std::int32_t tgid, std::uint64_t when_ns) {
  CloseIfConfirmed(tgid, when_ns, 0);
  LeavePending(tgid);
}

// Without their owner, pending counts cannot be named any more.
void ReferenceResolver::LeavePending(std::int32_t tgid) {
  if (OwnsPending(tgid)) {
    ClosePending(rows.at(tgid).pending, "unattributed", std::nullopt);
  } else if (Process& row = rows.at(tgid); row.pending) {
    row.pending->members.erase(tgid);
    row.pending.reset();
  }
}

void ReferenceResolver::ClosePending(const UnnamedCountsPtr& to_close, std::string_view source,
                                     const std::optional<std::string>& name) {
  const UnnamedCountsPtr pending = to_close;  // keeps it alive while the rows drop theirs
  attributions[source] += pending->events.empty() && pending->exits.empty() ? 0U : 1U;
  // A COMM event names the exec alone.
  const NameOrReserved of_exec = NameOrUnattributed(name);
  const NameOrReserved of_others = source == "comm_event" ? ReservedGroup::kUnattributed : of_exec;
  for (const auto& [kind, waiting] : pending->events) {
    emit_({.at_event = false,
           .what = kind,
           .times = waiting.times,
           .when_ns = waiting.latest_ns,
           .name = kind == CountKind::kExecs ? of_exec : of_others});
  }
  for (const ExitRecord& exit : pending->exits) {
    emit_({.at_event = false, .what = exit.outcome(), .when_ns = exit.when_ns, .name = of_others, .exit = exit});
  }
  for (const ExecKey& exec : pending->execs) {
    recorded_execs.push_back({exec, name, source});
  }
  pending_exits_ -= pending->exits.size();
  for (const std::int32_t member : pending->members) {
    Process& row = rows.at(member);
    row.pending.reset();
    row.name = source == "proc" ? name : std::nullopt;
  }
  all_pending_.erase(pending);
  unread_.remove(pending);
  retry_.remove(pending);
  candidates_.remove(pending);
}

std::optional<std::int32_t> ReferenceResolver::NextNameRequest() {
  const auto retry_due = [this] {
    return !retry_.empty() && retry_.front()->retry_read_ns + kRetryInterval <= applied_until_ns_;
  };
  while (!unread_.empty() || retry_due()) {
    std::list<UnnamedCountsPtr>& queue = unread_.empty() ? retry_ : unread_;
    const std::int32_t owner = queue.front()->owner;
    queue.pop_front();
    if (rows.at(owner).losses == losses) {
      return owner;
    }
    ForgetIfStale(owner);
  }
  return std::nullopt;
}

void ReferenceResolver::SetCandidate(std::int32_t tgid, const std::string& name, std::uint64_t taken_ns) {
  if (OwnsPending(tgid)) {
    const UnnamedCountsPtr pending = rows.at(tgid).pending;
    pending->candidate = NameCandidate{name, taken_ns};
    unread_.remove(pending);
    retry_.remove(pending);
    candidates_.remove(pending);
    candidates_.push_back(pending);
  }
}

bool ReferenceResolver::ScheduleRetry(std::int32_t tgid, std::uint64_t taken_ns) {
  const UnnamedCountsPtr pending = OwnsPending(tgid) ? rows.at(tgid).pending : nullptr;
  if (!pending || pending->candidate || pending->retries == kMaxRetries) {
    return false;
  }
  ++pending->retries;
  pending->retry_read_ns = taken_ns;
  unread_.remove(pending);
  retry_.remove(pending);
  retry_.push_back(pending);
  return true;
}

void ReferenceResolver::ConfirmName(std::int32_t tgid, const std::string& name) {
  Process& row = rows.at(tgid);
  if (OwnsPending(tgid)) {
    ClosePending(row.pending, "proc", name);
  } else if (!row.pending) {
    row.name = name;
    row.unconfirmed_name.reset();
  }
}

void ReferenceResolver::ConfirmNamesUpTo(std::uint64_t applied_until_ns) {
  applied_until_ns_ = applied_until_ns;
  while (!candidates_.empty() && IsConfirmed(*candidates_.front(), applied_until_ns, kMargin)) {
    const std::int32_t owner = candidates_.front()->owner;
    if (rows.at(owner).losses == losses) {
      CloseIfConfirmed(owner, applied_until_ns, kMargin);
    } else {
      ForgetIfStale(owner);
    }
  }
}

CountMap ReferenceResolver::Pending() const {
  CountMap total;
  for (const UnnamedCountsPtr& pending : all_pending_) {
    for (const auto& [kind, waiting] : pending->events) {
      total[kind] += waiting.times;
    }
    for (const ExitRecord& exit : pending->exits) {
      ++total[exit.outcome()];
    }
  }
  return total;
}

}  // namespace procevent::reference
