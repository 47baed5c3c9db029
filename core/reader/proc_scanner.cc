#include "core/reader/proc_scanner.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace procevent {

void ProcScanner::ScanAllProcesses() {
  scanned_all_ = true;
  std::array<std::int32_t, kProcessesInStep> tgids{};
  while (const std::size_t count = proc_.ListNext(tgids)) {
    for (const std::int32_t tgid : std::span(tgids).first(count)) {
      ProcSnapshot sighting;
      if (proc_.ReadSnapshot(tgid, sighting) == ProcPidReader::ReadStatus::kRead) {
        teller_.ApplyAndRecord(
            CapturedProcSnapshot{.kind = CapturedProcSnapshot::Kind::kBootstrap, .snapshot = sighting});
      }
    }
  }
}

void ProcScanner::RunScanStep(std::uint64_t heard_ns, std::uint64_t now_ns) {
  next_turn_ns_ = now_ns + kStepInterval;
  teller_.ApplyAndRecord(CapturedWatermark{heard_ns});
  LookForNames();
  wanted_ = sightings_.TakeAnyStale() || wanted_;
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

std::uint64_t ProcScanner::next_scan_ns() const {
  if (pass_ != Pass::kNone || sightings_.any_request() || !sightings_.has_capacity()) {
    return next_turn_ns_;
  }
  return wanted_ ? next_pass_ns_ : std::numeric_limits<std::uint64_t>::max();
}

void ProcScanner::LookForNames() {
  std::size_t whole = 0;
  for (std::size_t i = 0; i < kNamesInTurn && whole < kProcessesInStep; ++i) {
    if (!sightings_.any_request()) {
      return;
    }
    const auto question = sightings_.NextRequest();
    if (!question) {
      teller_.ApplyAndRecord(CapturedNoRequest{});
      return;
    }
    whole += question->full ? 1U : 0U;
    Look(*question, true);
  }
}

void ProcScanner::StepThroughProcesses() {
  std::array<std::int32_t, kProcessesInStep> tgids{};
  const std::size_t count = proc_.ListNext(tgids);
  if (count == 0) {
    pass_ = Pass::kRows;
    cursor_ = 0;
  }
  for (const std::int32_t tgid : std::span(tgids).first(count)) {
    ProcSnapshot sighting;
    if (sightings_.CanTrack(tgid) && proc_.ReadSnapshot(tgid, sighting) == ProcPidReader::ReadStatus::kRead) {
      teller_.ApplyAndRecord(
          CapturedProcSnapshot{.kind = CapturedProcSnapshot::Kind::kReconciliation, .snapshot = sighting});
    }
  }
}

void ProcScanner::StepThroughRows() {
  const RowId last = cursor_ + kRowsInStep;
  for (std::size_t i = 0; i < kProcessesInStep && sightings_.has_capacity(); ++i) {
    const auto tgid = sightings_.NextStale(cursor_, last);
    if (!tgid) {
      break;
    }
    Look({.tgid = *tgid, .full = true}, false);
  }
  if (cursor_ >= sightings_.end_of_rows()) {
    pass_ = Pass::kNone;
  }
}

void ProcScanner::Look(const ProcReconciler::ProcRequest& question, bool asked) {
  using Kind = CapturedProcSnapshot::Kind;
  CapturedProcSnapshot sight{.kind = question.full ? Kind::kFull : Kind::kNameOnly, .requested = asked, .snapshot = {}};
  const ProcPidReader::ReadStatus look = question.full ? proc_.ReadSnapshot(question.tgid, sight.snapshot)
                                                       : proc_.ReadWithoutCredentials(question.tgid, sight.snapshot);
  if (look != ProcPidReader::ReadStatus::kRead) {
    sight.kind = look == ProcPidReader::ReadStatus::kGone ? Kind::kGone : Kind::kHidden;
    sight.snapshot = {};
    sight.snapshot.tgid = question.tgid;
    sight.snapshot.taken_ns = MonotonicNanos();
  }
  teller_.ApplyAndRecord(sight);
}

}  // namespace procevent
