// The reference ledger's looks at /proc.
#include <string>

#include "tests/core/ledger/reference_ledger.h"

namespace procevent::reference {
namespace {

constexpr std::uint64_t kStartMargin = 50'000'000;
constexpr std::size_t kMostAnswers = 1024;

}  // namespace

std::optional<Ledger::Question> Ledger::NextQuestion() {
  if (answers_.size() == kMostAnswers) {
    return std::nullopt;
  }
  const auto tgid = people.NextQuestion();
  return tgid ? std::optional(Question{*tgid, people.rows.at(*tgid).unsure}) : std::nullopt;
}

void Ledger::Saw(const ProcSnapshot& sighting, bool whole) {
  const auto row = people.rows.find(sighting.tgid);
  if (row == people.rows.end()) {
    return;
  }
  if (sighting.exec_in_progress) {
    const bool again = people.Held(sighting.tgid, sighting.taken_ns);
    row->second.to_see = row->second.to_see || !again || row->second.unsure;
    return;
  }
  if (!sighting.dead && row->second.losses == people.losses) {
    people.Glimpsed(sighting.tgid, NameOf(sighting.name), sighting.taken_ns);
  }
  if (whole && answers_.size() < kMostAnswers) {
    answers_.push_back({row->second.order, people.losses, sighting.dead, sighting});
  }
}

void Ledger::SawGone(std::int32_t tgid, std::uint64_t taken_ns) {
  const auto row = people.rows.find(tgid);
  if (row != people.rows.end() && answers_.size() < kMostAnswers) {
    ProcSnapshot sighting;
    sighting.tgid = tgid;
    sighting.taken_ns = taken_ns;
    answers_.push_back({row->second.order, people.losses, true, sighting});
  }
}

void Ledger::SawNothing(std::int32_t tgid) {
  if (const auto row = people.rows.find(tgid); row != people.rows.end()) {
    row->second.to_see = true;
  }
}

bool Ledger::Unknown(std::int32_t tgid) const { return !people.rows.contains(tgid) && people.rows.size() < limit_; }

void Ledger::Found(const ProcSnapshot& sighting, std::string_view how) {
  if (sighting.dead || !Unknown(sighting.tgid)) {
    return;
  }
  Process& row = Begin(sighting.tgid);
  people.Refresh(sighting.tgid);
  ++found[how];
  row.threads = sighting.threads;
  row.leader_gone = sighting.leader_gone;
  row.seen_ns = sighting.taken_ns;
  row.euid = IdOf(sighting.euid);
  row.egid = IdOf(sighting.egid);
  if (!sighting.exec_in_progress) {
    row.found_as = NameCandidate{NameOf(sighting.name), sighting.taken_ns};
  }
}

void Ledger::Settle(std::uint64_t heard_ns) {
  people.Settle(heard_ns);
  while (!answers_.empty() && answers_.front().sighting.taken_ns + kMargin <= heard_ns) {
    Believe(answers_.front());
    answers_.pop_front();
  }
}

void Ledger::Believe(const Answer& answer) {
  const ProcSnapshot& sighting = answer.sighting;
  const auto found_row = people.rows.find(sighting.tgid);
  if (found_row == people.rows.end() || found_row->second.order != answer.order) {
    return;
  }
  Process& row = found_row->second;
  if (answer.losses != people.losses || row.changed_ns + kMargin > sighting.taken_ns) {
    row.to_see = true;
    return;
  }
  if (answer.gone) {
    Drop(sighting.tgid, "gone");
    return;
  }
  const bool missed = row.unsure || row.losses != people.losses;
  if (missed) {  // an exec, or an end and another beginning
    row.execed = true;
    const bool same =
        row.forked_ns && sighting.start_ns <= *row.forked_ns && *row.forked_ns - sighting.start_ns < kStartMargin;
    if (!same) {
      row.forked_ns.reset();
    }
  }
  if (row.losses != people.losses) {
    people.Leave(sighting.tgid);
    row.losses = people.losses;
  }
  row.unsure = false;
  row.to_see = false;
  row.threads = sighting.threads;
  row.leader_gone = sighting.leader_gone;
  row.seen_ns = sighting.taken_ns;
  row.euid = IdOf(sighting.euid);
  row.egid = IdOf(sighting.egid);
  people.Believe(sighting.tgid, NameOf(sighting.name));
}

std::vector<std::int32_t> Ledger::InDoubt() const {
  std::vector<std::int32_t> tgids;
  for (const auto& [tgid, row] : people.rows) {
    if (row.to_see || row.losses != people.losses) {
      tgids.push_back(tgid);
    }
  }
  return tgids;
}

}  // namespace procevent::reference
