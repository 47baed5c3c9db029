// Applies /proc snapshots to the reference tracker, by the rules of core/tracker/proc_reconciler.h.
#include <string>

#include "tests/core/reference/reference_tracker.h"

namespace procevent::reference {
namespace {

constexpr std::uint64_t kStartMargin = 50'000'000;
constexpr std::size_t kMaxUnconfirmed = 1024;

}  // namespace

std::optional<ReferenceTracker::ProcRequest> ReferenceTracker::NextRequest() {
  if (unconfirmed_.size() == kMaxUnconfirmed) {
    return std::nullopt;
  }
  const auto tgid = resolver.NextNameRequest();
  return tgid ? std::optional(ProcRequest{*tgid, resolver.rows.at(*tgid).uncertain}) : std::nullopt;
}

void ReferenceTracker::ApplySnapshot(const ProcSnapshot& snapshot, bool full) {
  const auto row = resolver.rows.find(snapshot.tgid);
  if (row == resolver.rows.end()) {
    return;
  }
  if (!snapshot.has_reliable_name()) {
    const bool again = resolver.ScheduleRetry(snapshot.tgid, snapshot.taken_ns);
    row->second.needs_snapshot = row->second.needs_snapshot || !again || row->second.uncertain;
    return;
  }
  if (!snapshot.dead && row->second.losses == resolver.losses) {
    resolver.SetCandidate(snapshot.tgid, NameOf(snapshot.name), snapshot.taken_ns);
  }
  if (full && unconfirmed_.size() < kMaxUnconfirmed) {
    unconfirmed_.push_back({row->second.order, resolver.losses, snapshot.dead, snapshot});
  }
}

void ReferenceTracker::ApplyGone(std::int32_t tgid, std::uint64_t taken_ns) {
  const auto row = resolver.rows.find(tgid);
  if (row != resolver.rows.end() && unconfirmed_.size() < kMaxUnconfirmed) {
    ProcSnapshot snapshot;
    snapshot.tgid = tgid;
    snapshot.taken_ns = taken_ns;
    unconfirmed_.push_back({row->second.order, resolver.losses, true, snapshot});
  }
}

void ReferenceTracker::ApplyHidden(std::int32_t tgid) {
  if (const auto row = resolver.rows.find(tgid); row != resolver.rows.end()) {
    row->second.needs_snapshot = true;
  }
}

bool ReferenceTracker::CanTrack(std::int32_t tgid) const {
  return !resolver.rows.contains(tgid) && resolver.rows.size() < limit_;
}

void ReferenceTracker::AddFoundProcess(const ProcSnapshot& snapshot, std::string_view reason) {
  if (snapshot.dead || !CanTrack(snapshot.tgid)) {
    return;
  }
  Process& row = AddRow(snapshot.tgid);
  resolver.ForgetIfStale(snapshot.tgid);
  ++found[reason];
  row.threads = snapshot.threads;
  row.leader_gone = snapshot.leader_gone;
  row.snapshot_ns = snapshot.taken_ns;
  row.euid = IdOf(snapshot.euid);
  row.egid = IdOf(snapshot.egid);
  if (snapshot.has_reliable_name()) {
    row.unconfirmed_name = NameCandidate{NameOf(snapshot.name), snapshot.taken_ns};
  }
}

void ReferenceTracker::ConfirmUpTo(std::uint64_t applied_until_ns) {
  resolver.ConfirmNamesUpTo(applied_until_ns);
  while (!unconfirmed_.empty() && unconfirmed_.front().snapshot.taken_ns + kMargin <= applied_until_ns) {
    ApplyIfConfirmed(unconfirmed_.front());
    unconfirmed_.pop_front();
  }
}

void ReferenceTracker::ApplyIfConfirmed(const UnconfirmedSnapshot& unconfirmed) {
  const ProcSnapshot& snapshot = unconfirmed.snapshot;
  const auto found_row = resolver.rows.find(snapshot.tgid);
  if (found_row == resolver.rows.end() || found_row->second.order != unconfirmed.order) {
    return;
  }
  Process& row = found_row->second;
  if (unconfirmed.losses != resolver.losses || row.changed_ns + kMargin > snapshot.taken_ns) {
    row.needs_snapshot = true;
    return;
  }
  if (unconfirmed.gone) {
    DropProcess(snapshot.tgid, "gone");
    return;
  }
  const bool missed = row.uncertain || row.losses != resolver.losses;
  if (missed) {  // an EXEC, or an EXIT and a FORK that assigned the pid again
    row.has_executed = true;
    const bool same =
        row.forked_ns && snapshot.start_ns <= *row.forked_ns && *row.forked_ns - snapshot.start_ns < kStartMargin;
    if (!same) {
      row.forked_ns.reset();
    }
  }
  if (row.losses != resolver.losses) {
    resolver.LeavePending(snapshot.tgid);
    row.losses = resolver.losses;
  }
  row.uncertain = false;
  row.needs_snapshot = false;
  row.threads = snapshot.threads;
  row.leader_gone = snapshot.leader_gone;
  row.snapshot_ns = snapshot.taken_ns;
  row.euid = IdOf(snapshot.euid);
  row.egid = IdOf(snapshot.egid);
  resolver.ConfirmName(snapshot.tgid, NameOf(snapshot.name));
}

std::vector<std::int32_t> ReferenceTracker::ListStale() const {
  std::vector<std::int32_t> tgids;
  for (const auto& [tgid, row] : resolver.rows) {
    if (row.needs_snapshot || row.losses != resolver.losses) {
      tgids.push_back(tgid);
    }
  }
  return tgids;
}

}  // namespace procevent::reference
