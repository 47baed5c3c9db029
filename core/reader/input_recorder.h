// By whom the ledger is told all that is no datagram: of /proc, of losses, of messages that were refused. What it says
// is what a capture holds, so that a replay tells the same. Where somebody records, it is taken down, too.
// The reader and its surveyor have one; a replay calls Tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/ledger/ledger.h"
#include "core/protocol/capture_record.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {

void ApplyRecord(const CaptureRecord& record, Ledger& ledger);

class InputRecorder {
 public:
  // `capture` may be null: nobody records.
  InputRecorder(Ledger& ledger, CaptureWriter* capture, unsigned cpus, EventCoverage coverage)
      : ledger_(ledger), capture_(capture), cpus_(cpus), coverage_(coverage) {}

  // After each subscription: writes the metadata that a capture begins with, if that is not done.
  void BeginCapture();
  void ApplyAndRecord(const CaptureRecord& record) {
    if (capture_ != nullptr) {
      TakeDown(record);
    }
    procevent::ApplyRecord(record, ledger_);
  }
  // Whether inputs are also written to a capture.
  [[nodiscard]] bool recording() const { return capture_ != nullptr; }
  // While recording: writes a datagram, whose events the caller applies itself.
  void RecordDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
    TakeDown(kConnectorFamily, datagram, now_ns);
  }
  // From any thread: from now on nobody is waited for who does not take what is recorded.
  void StopBlockingOnCapture() const {
    if (capture_ != nullptr) {
      capture_->LimitPipeWait();
    }
  }

 private:
  void TakeDown(const CaptureRecord& record);
  void TakeDown(std::uint16_t family, std::span<const std::byte> payload, std::uint64_t now_ns);

  Ledger& ledger_;
  CaptureWriter* capture_;
  const unsigned cpus_;
  const EventCoverage coverage_;
  std::uint64_t clock_offset_ns_ = 0;
  std::uint64_t flushed_ns_ = 0;
};

}  // namespace procevent
