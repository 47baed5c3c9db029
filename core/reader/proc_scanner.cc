#include "core/reader/proc_scanner.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace procevent {

void ProcScanner::ScanAllProcesses() {
  scanned_all_ = true;
  std::array<std::int32_t, kProcessesPerStep> tgids{};
  while (const std::size_t count = proc_.ListNext(tgids)) {
    for (const std::int32_t tgid : std::span(tgids).first(count)) {
      ProcSnapshot snapshot;
      if (proc_.ReadSnapshot(tgid, snapshot) == ProcPidReader::ReadStatus::kRead) {
        inputs_.Apply(ProcRead{.kind = ProcRead::Kind::kBootstrap, .snapshot = snapshot}, snapshot.taken_ns);
      }
    }
  }
}

void ProcScanner::RunScanStep(std::uint64_t applied_until_ns, std::uint64_t now_ns) {
  next_scan_ns_ = now_ns + kStepInterval;
  inputs_.Apply(Watermark{applied_until_ns}, now_ns);
  ReadRequestedProcesses();
  pass_wanted_ = reconciler_.TakeAnyStale() || pass_wanted_;
  if (pass_ == Pass::kNone && pass_wanted_ && now_ns >= next_pass_ns_) {
    pass_ = Pass::kProcesses;
    pass_wanted_ = false;
    next_pass_ns_ = now_ns + pass_interval_ns_;
    next_step_ns_ = now_ns;
  }
  if (pass_ == Pass::kNone || now_ns < next_step_ns_) {
    return;
  }
  next_step_ns_ = now_ns + kStepInterval;
  if (pass_ == Pass::kProcesses) {
    ReadListedProcesses();
  } else {
    ReadStaleProcesses();
  }
}

std::uint64_t ProcScanner::next_scan_ns() const {
  if (pass_ != Pass::kNone || reconciler_.any_request() || !reconciler_.has_capacity()) {
    return next_scan_ns_;
  }
  return pass_wanted_ ? next_pass_ns_ : std::numeric_limits<std::uint64_t>::max();
}

void ProcScanner::ReadRequestedProcesses() {
  std::size_t full_reads = 0;
  for (std::size_t i = 0; i < kNamesPerStep && full_reads < kProcessesPerStep; ++i) {
    if (!reconciler_.any_request()) {
      return;
    }
    const auto request = reconciler_.NextRequest();
    if (!request) {
      inputs_.Apply(NoProcRequest{}, MonotonicNanos());
      return;
    }
    full_reads += request->full ? 1U : 0U;
    ReadProcess(*request, true);
  }
}

void ProcScanner::ReadListedProcesses() {
  std::array<std::int32_t, kProcessesPerStep> tgids{};
  const std::size_t count = proc_.ListNext(tgids);
  if (count == 0) {
    pass_ = Pass::kRows;
    next_row_ = 0;
  }
  for (const std::int32_t tgid : std::span(tgids).first(count)) {
    ProcSnapshot snapshot;
    if (reconciler_.CanTrack(tgid) && proc_.ReadSnapshot(tgid, snapshot) == ProcPidReader::ReadStatus::kRead) {
      inputs_.Apply(ProcRead{.kind = ProcRead::Kind::kReconciliation, .snapshot = snapshot}, snapshot.taken_ns);
    }
  }
}

void ProcScanner::ReadStaleProcesses() {
  const RowId last = next_row_ + kRowsPerStep;
  for (std::size_t i = 0; i < kProcessesPerStep && reconciler_.has_capacity(); ++i) {
    const auto tgid = reconciler_.NextStale(next_row_, last);
    if (!tgid) {
      break;
    }
    ReadProcess({.tgid = *tgid, .full = true}, false);
  }
  if (next_row_ >= reconciler_.end_of_rows()) {
    pass_ = Pass::kNone;
  }
}

void ProcScanner::ReadProcess(const ProcReconciler::ProcRequest& request, bool requested) {
  using Kind = ProcRead::Kind;
  ProcRead read{.kind = request.full ? Kind::kFull : Kind::kNameOnly, .requested = requested, .snapshot = {}};
  const ProcPidReader::ReadStatus status = request.full ? proc_.ReadSnapshot(request.tgid, read.snapshot)
                                                        : proc_.ReadWithoutCredentials(request.tgid, read.snapshot);
  if (status != ProcPidReader::ReadStatus::kRead) {
    read.kind = status == ProcPidReader::ReadStatus::kGone ? Kind::kGone : Kind::kHidden;
    read.snapshot = {.tgid = request.tgid, .taken_ns = MonotonicNanos(), .name = {}};
  }
  inputs_.Apply(read, read.snapshot.taken_ns);
}

}  // namespace procevent
