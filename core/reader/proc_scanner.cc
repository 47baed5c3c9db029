#include "core/reader/proc_scanner.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace procevent {

void Surveyor::Bootstrap() {
  std::array<std::int32_t, kProcessesInStep> tgids{};
  while (const std::size_t count = proc_.List(tgids)) {
    for (const std::int32_t tgid : std::span(tgids).first(count)) {
      Sighting sighting;
      if (proc_.See(tgid, sighting) == ProcPids::Look::kSeen) {
        teller_.Tell(CapturedSight{.kind = CapturedSight::Kind::kBootstrap, .sighting = sighting});
      }
    }
  }
}

void Surveyor::Tend(std::uint64_t heard_ns, std::uint64_t now_ns) {
  next_turn_ns_ = now_ns + kStepInterval;
  teller_.Tell(CapturedSettling{heard_ns});
  LookForNames();
  wanted_ = sightings_.TakeAnyDoubt() || wanted_;
  if (pass_ == Pass::kNone && wanted_ && now_ns >= next_pass_ns_) {
    pass_ = Pass::kProcesses;
    wanted_ = false;
    next_pass_ns_ = now_ns + kPassInterval;
    next_step_ns_ = now_ns;
  }
  if (pass_ == Pass::kNone || now_ns < next_step_ns_) {
    return;
  }
  next_step_ns_ = now_ns + kStepInterval;
  if (pass_ == Pass::kProcesses) {
    StepThroughProcesses();
  } else {
    StepThroughRows();
  }
}

std::uint64_t Surveyor::next_ns() const {
  if (pass_ != Pass::kNone || sightings_.any_question() || !sightings_.room()) {
    return next_turn_ns_;
  }
  return wanted_ ? next_pass_ns_ : std::numeric_limits<std::uint64_t>::max();
}

void Surveyor::LookForNames() {
  std::size_t whole = 0;
  for (std::size_t i = 0; i < kNamesInTurn && whole < kProcessesInStep; ++i) {
    if (!sightings_.any_question()) {
      return;
    }
    const auto question = sightings_.NextQuestion();
    if (!question) {
      teller_.Tell(CapturedSilence{});
      return;
    }
    whole += question->whole ? 1U : 0U;
    Look(*question, true);
  }
}

void Surveyor::StepThroughProcesses() {
  std::array<std::int32_t, kProcessesInStep> tgids{};
  const std::size_t count = proc_.List(tgids);
  if (count == 0) {
    pass_ = Pass::kRows;
    cursor_ = 0;
  }
  for (const std::int32_t tgid : std::span(tgids).first(count)) {
    Sighting sighting;
    if (sightings_.Unknown(tgid) && proc_.See(tgid, sighting) == ProcPids::Look::kSeen) {
      teller_.Tell(CapturedSight{.kind = CapturedSight::Kind::kReconciliation, .sighting = sighting});
    }
  }
}

void Surveyor::StepThroughRows() {
  const RowId last = cursor_ + kRowsInStep;
  for (std::size_t i = 0; i < kProcessesInStep && sightings_.room(); ++i) {
    const auto tgid = sightings_.NextInDoubt(cursor_, last);
    if (!tgid) {
      break;
    }
    Look({.tgid = *tgid, .whole = true}, false);
  }
  if (cursor_ >= sightings_.end_of_rows()) {
    pass_ = Pass::kNone;
  }
}

void Surveyor::Look(const Sightings::Question& question, bool asked) {
  using Kind = CapturedSight::Kind;
  CapturedSight sight{.kind = question.whole ? Kind::kWhole : Kind::kName, .asked = asked, .sighting = {}};
  const ProcPids::Look look =
      question.whole ? proc_.See(question.tgid, sight.sighting) : proc_.SeeName(question.tgid, sight.sighting);
  if (look != ProcPids::Look::kSeen) {
    sight.kind = look == ProcPids::Look::kGone ? Kind::kGone : Kind::kHidden;
    sight.sighting = {};
    sight.sighting.tgid = question.tgid;
    sight.sighting.taken_ns = MonotonicNanos();
  }
  teller_.Tell(sight);
}

}  // namespace procevent
