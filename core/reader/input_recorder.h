// Applies the inputs of the ledger that are not datagrams, and records every input if there is a capture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/ledger/ledger.h"
#include "core/protocol/capture_record.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {

// Applies one recorded input to the ledger. A replay applies exactly what was recorded, so it gives the same numbers.
void ApplyRecord(const CaptureRecord& record, Ledger& ledger);

// Applies /proc snapshots, invalidations, rejections and watermarks to the ledger. Writes these and the datagrams to
// the capture, if there is one. The reader owns it; its parts share it.
class InputRecorder {
 public:
  // `capture` may be null: then nothing is recorded. Both must outlive it.
  InputRecorder(Ledger& ledger, CaptureWriter* capture) : ledger_(ledger), capture_(capture) {}

  // After each subscription: writes the metadata that a capture begins with, if that is not done.
  void BeginCapture();
  void ApplyAndRecord(const CaptureRecord& record) {
    if (capture_ != nullptr) {
      WriteRecord(record);
    }
    ApplyRecord(record, ledger_);
  }
  // Records a datagram, whose events the caller applies itself.
  void RecordDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
    if (capture_ != nullptr) {
      WritePacket(kConnectorFamily, datagram, now_ns);
    }
  }
  // From any thread: from now on a write waits only briefly for a pipe that its reader does not empty.
  void StopBlockingOnCapture() const {
    if (capture_ != nullptr) {
      capture_->LimitPipeWait();
    }
  }

 private:
  void WriteRecord(const CaptureRecord& record);
  void WritePacket(std::uint16_t family, std::span<const std::byte> payload, std::uint64_t now_ns);

  Ledger& ledger_;
  CaptureWriter* capture_;
  std::uint64_t clock_offset_ns_ = 0;
  std::uint64_t flushed_ns_ = 0;
};

}  // namespace procevent
