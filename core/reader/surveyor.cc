#include "core/reader/surveyor.h"

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
        sightings_.Found(sighting, Found::kBootstrap);
      }
    }
  }
}

void Surveyor::Tend(std::uint64_t heard_ns, std::uint64_t now_ns) {
  next_turn_ns_ = now_ns + kStepInterval;
  sightings_.Settle(heard_ns);
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
    const auto question = sightings_.NextQuestion();
    if (!question) {
      return;
    }
    whole += question->whole ? 1U : 0U;
    Look(*question);
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
      sightings_.Found(sighting, Found::kReconciliation);
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
    Look({.tgid = *tgid, .whole = true});
  }
  if (cursor_ >= sightings_.end_of_rows()) {
    pass_ = Pass::kNone;
  }
}

void Surveyor::Look(const Sightings::Question& question) {
  Sighting sighting;
  switch (question.whole ? proc_.See(question.tgid, sighting) : proc_.SeeName(question.tgid, sighting)) {
    case ProcPids::Look::kSeen:
      sightings_.Saw(sighting, question.whole);
      return;
    case ProcPids::Look::kGone:
      sightings_.SawGone(question.tgid, MonotonicNanos());
      return;
    case ProcPids::Look::kHidden:
      sightings_.SawNothing(question.tgid);
      return;
  }
}

}  // namespace procevent
