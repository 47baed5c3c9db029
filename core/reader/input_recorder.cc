#include "core/reader/input_recorder.h"

#include <variant>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kFlushInterval = kNanosPerSecond;

struct ToLedger {
  Ledger& ledger;

  void operator()(const CaptureMetadata& /*opening*/) const {}
  void operator()(const CapturedWatermark& settling) const {
    ledger.reconciler().ConfirmUpTo(settling.complete_until_ns);
  }
  void operator()(const CapturedNoRequest& /*silence*/) const {}
  void operator()(const CapturedInvalidation& /*doubt*/) const { ledger.Invalidate(); }
  void operator()(const CapturedRejection& rejection) const {
    ledger.CountRejection(rejection.reason == CapturedRejection::Reason::kOversized ? Rejection::kOversized
                                                                                    : Rejection::kForeignSender);
  }
  void operator()(const CapturedProcSnapshot& sight) const {
    ProcReconciler& sightings = ledger.reconciler();
    switch (sight.kind) {
      case CapturedProcSnapshot::Kind::kBootstrap:
        return sightings.AddFoundProcess(sight.snapshot, ProcessFoundReason::kBootstrap);
      case CapturedProcSnapshot::Kind::kReconciliation:
        return sightings.AddFoundProcess(sight.snapshot, ProcessFoundReason::kReconciliation);
      case CapturedProcSnapshot::Kind::kFull:
        return sightings.ApplySnapshot(sight.snapshot, true);
      case CapturedProcSnapshot::Kind::kNameOnly:
        return sightings.ApplySnapshot(sight.snapshot, false);
      case CapturedProcSnapshot::Kind::kGone:
        return sightings.ApplyGone(sight.snapshot.tgid, sight.snapshot.taken_ns);
      case CapturedProcSnapshot::Kind::kHidden:
        return sightings.ApplyHidden(sight.snapshot.tgid);
    }
  }
};

}  // namespace

void ApplyRecord(const CaptureRecord& record, Ledger& ledger) { std::visit(ToLedger{ledger}, record); }

void InputRecorder::BeginCapture() {
  if (capture_ != nullptr && clock_offset_ns_ == 0) {
    clock_offset_ns_ = ClockNanos(CLOCK_REALTIME) - MonotonicNanos();
    TakeDown(CaptureMetadata{.clock_offset_ns = clock_offset_ns_, .cpus = cpus_, .coverage = coverage_});
  }
}

void InputRecorder::TakeDown(const CaptureRecord& record) {
  const ProcReconciler& sightings = ledger_.reconciler();
  if (std::holds_alternative<CapturedWatermark>(record) && !sightings.any_unconfirmed() && !sightings.any_request()) {
    return;  // as nearly always: it settles nothing
  }
  RecordBuffer buffer;
  const std::uint64_t now = MonotonicNanos();
  TakeDown(kRecordFamily, EncodeRecord(record, buffer), now);
  ledger_.Advance(now);  // as a replay will
}

void InputRecorder::TakeDown(std::uint16_t family, std::span<const std::byte> payload, std::uint64_t now_ns) {
  capture_->Write(now_ns + clock_offset_ns_, family, payload);
  if (now_ns - flushed_ns_ > kFlushInterval) {
    capture_->Flush();
    flushed_ns_ = now_ns;
  }
}

}  // namespace procevent
