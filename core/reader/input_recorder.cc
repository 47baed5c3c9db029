#include "core/reader/input_recorder.h"

#include <variant>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kFlushInterval = kNanosPerSecond;

struct ToLedger {
  Ledger& ledger;

  void operator()(const CaptureOpening& /*opening*/) const {}
  void operator()(const CapturedSettling& settling) const { ledger.sightings().Settle(settling.heard_ns); }
  void operator()(const CapturedSilence& /*silence*/) const {}
  void operator()(const CapturedDoubt& /*doubt*/) const { ledger.Doubt(); }
  void operator()(const CapturedRejection& rejection) const {
    ledger.Reject(rejection.why == CapturedRejection::Why::kOversized ? Rejection::kOversized
                                                                      : Rejection::kForeignSender);
  }
  void operator()(const CapturedSight& sight) const {
    Sightings& sightings = ledger.sightings();
    switch (sight.kind) {
      case CapturedSight::Kind::kBootstrap:
        return sightings.Found(sight.sighting, Found::kBootstrap);
      case CapturedSight::Kind::kReconciliation:
        return sightings.Found(sight.sighting, Found::kReconciliation);
      case CapturedSight::Kind::kWhole:
        return sightings.Saw(sight.sighting, true);
      case CapturedSight::Kind::kName:
        return sightings.Saw(sight.sighting, false);
      case CapturedSight::Kind::kGone:
        return sightings.SawGone(sight.sighting.tgid, sight.sighting.taken_ns);
      case CapturedSight::Kind::kHidden:
        return sightings.SawNothing(sight.sighting.tgid);
    }
  }
};

}  // namespace

void Tell(const CaptureRecord& record, Ledger& ledger) { std::visit(ToLedger{ledger}, record); }

void Teller::Open(unsigned cpus, Hearing hearing) {
  if (capture_ != nullptr && clock_offset_ns_ == 0) {
    clock_offset_ns_ = NanosOf(CLOCK_REALTIME) - MonotonicNanos();
    TakeDown(CaptureOpening{.clock_offset_ns = clock_offset_ns_, .cpus = cpus, .hearing = hearing});
  }
}

void Teller::TakeDown(const CaptureRecord& record) {
  const Sightings& sightings = ledger_.sightings();
  if (std::holds_alternative<CapturedSettling>(record) && !sightings.any_answer() && !sightings.any_question()) {
    return;  // as nearly always: it settles nothing
  }
  RecordBuffer buffer;
  const std::uint64_t now = MonotonicNanos();
  TakeDown(kRecordFamily, EncodeRecord(record, buffer), now);
  ledger_.Advance(now);  // as a replay will
}

void Teller::TakeDown(std::uint16_t family, std::span<const std::byte> payload, std::uint64_t now_ns) {
  capture_->Write(now_ns + clock_offset_ns_, family, payload);
  if (now_ns - flushed_ns_ > kFlushInterval) {
    capture_->Flush();
    flushed_ns_ = now_ns;
  }
}

}  // namespace procevent
