// Writes the inputs of ProcessorPair to a capture, so that a replay gives the processor the same inputs.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/system.h"
#include "core/protocol/capture_packet.h"
#include "core/protocol/encoder.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {

// A capture of a simulated host. Owned by the test. Single-threaded.
class PairCapture {
 public:
  explicit PairCapture(const std::string& path) : writer_(path) {}

  // Before the first input.
  void Begin(unsigned cpus, std::uint64_t now_ns) {
    RecordBuffer buffer;
    const CaptureMetadata metadata{.clock_offset_ns = kClockOffset, .cpus = cpus, .coverage = EventCoverage::kAll};
    Write(EncodePacket(metadata, buffer), now_ns);
  }
  void Write(const Event& event, std::uint64_t now_ns) {
    const Bytes datagram = EncodeEvent(event);
    Write(Input(ConnectorDatagram{datagram}), now_ns);
  }
  void Write(const Input& input, std::uint64_t now_ns) {
    RecordBuffer buffer;
    Write(EncodePacket(input, buffer), now_ns);
  }
  // Call after the last Write.
  [[nodiscard]] Status Finish() { return writer_.Finish(); }

 private:
  void Write(const EncodedPacket& packet, std::uint64_t now_ns) {
    writer_.Write(kClockOffset + now_ns, packet.family, packet.payload);
  }

  static constexpr std::uint64_t kClockOffset = 1'700'000'000 * kNanosPerSecond;  // any wall clock

  CaptureWriter writer_;
};

}  // namespace procevent
