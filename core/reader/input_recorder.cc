#include "core/reader/input_recorder.h"

#include <variant>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kFlushInterval = kNanosPerSecond;

// Applies a record to the ledger.
struct RecordVisitor {
  Ledger& ledger;

  void operator()(const CaptureMetadata& /*metadata*/) const {}
  void operator()(const CapturedWatermark& watermark) const {
    ledger.reconciler().ConfirmUpTo(watermark.applied_until_ns);
  }
  void operator()(const CapturedNoRequest& /*no_request*/) const {}
  void operator()(const CapturedInvalidation& /*invalidation*/) const { ledger.Invalidate(); }
  void operator()(const CapturedRejection& rejection) const {
    ledger.CountRejection(rejection.reason == CapturedRejection::Reason::kOversized ? Rejection::kOversized
                                                                                    : Rejection::kForeignSender);
  }
  void operator()(const CapturedProcSnapshot& captured) const {
    ProcReconciler& reconciler = ledger.reconciler();
    switch (captured.kind) {
      case CapturedProcSnapshot::Kind::kBootstrap:
        return reconciler.AddFoundProcess(captured.snapshot, ProcessFoundReason::kBootstrap);
      case CapturedProcSnapshot::Kind::kReconciliation:
        return reconciler.AddFoundProcess(captured.snapshot, ProcessFoundReason::kReconciliation);
      case CapturedProcSnapshot::Kind::kFull:
        return reconciler.ApplySnapshot(captured.snapshot, true);
      case CapturedProcSnapshot::Kind::kNameOnly:
        return reconciler.ApplySnapshot(captured.snapshot, false);
      case CapturedProcSnapshot::Kind::kGone:
        return reconciler.ApplyGone(captured.snapshot.tgid, captured.snapshot.taken_ns);
      case CapturedProcSnapshot::Kind::kHidden:
        return reconciler.ApplyHidden(captured.snapshot.tgid);
    }
  }
};

}  // namespace

void ApplyRecord(const CaptureRecord& record, Ledger& ledger) { std::visit(RecordVisitor{ledger}, record); }

void InputRecorder::BeginCapture() {
  if (capture_ != nullptr && clock_offset_ns_ == 0) {
    clock_offset_ns_ = ClockNanos(CLOCK_REALTIME) - MonotonicNanos();
    WriteRecord(CaptureMetadata{.clock_offset_ns = clock_offset_ns_,
                                .cpus = static_cast<unsigned>(ledger_.stream().lost.size()),
                                .coverage = ledger_.coverage()});
  }
}

void InputRecorder::WriteRecord(const CaptureRecord& record) {
  const ProcReconciler& reconciler = ledger_.reconciler();
  if (std::holds_alternative<CapturedWatermark>(record) && !reconciler.any_unconfirmed() && !reconciler.any_request()) {
    return;  // the usual case: it would confirm nothing
  }
  RecordBuffer buffer;
  const std::uint64_t now = MonotonicNanos();
  WritePacket(kRecordFamily, EncodeRecord(record, buffer), now);
  ledger_.Advance(now);  // the replay does the same at this packet
}

void InputRecorder::WritePacket(std::uint16_t family, std::span<const std::byte> payload, std::uint64_t now_ns) {
  capture_->Write(now_ns + clock_offset_ns_, family, payload);
  if (now_ns - flushed_ns_ > kFlushInterval) {
    capture_->Flush();
    flushed_ns_ = now_ns;
  }
}

}  // namespace procevent
