// Writes the inputs of LedgerPair to a capture, so that a replay gives the ledger the same inputs.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/system.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/encoder.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {

// A capture of a simulated host. Owned by the test. Single-threaded.
class PairCapture {
 public:
  explicit PairCapture(const std::string& path) : writer_(path) {}

  // Before the first input.
  void Begin(unsigned cpus, std::uint64_t now_ns) {
    Write(CaptureMetadata{.clock_offset_ns = kClockOffset, .cpus = cpus, .coverage = EventCoverage::kAll}, now_ns);
  }
  void Write(const Event& event, std::uint64_t now_ns) {
    writer_.Write(kClockOffset + now_ns, kConnectorFamily, EncodeEvent(event));
  }
  void Write(const CaptureRecord& record, std::uint64_t now_ns) {
    RecordBuffer buffer;
    writer_.Write(kClockOffset + now_ns, kRecordFamily, EncodeRecord(record, buffer));
  }
  // Call after the last Write.
  [[nodiscard]] Status Finish() { return writer_.Finish(); }

 private:
  static constexpr std::uint64_t kClockOffset = 1'700'000'000 * kNanosPerSecond;  // any wall clock

  CaptureWriter writer_;
};

}  // namespace procevent
