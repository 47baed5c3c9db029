// Applies a capture to a processor on the capture's own time, without waiting.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/protocol/capture_packet.h"
#include "core/protocol/event_mask.h"
#include "core/reader/input_processor.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// Facts about a whole capture that its replay needs: that it is complete, its clock, and how many events each CPU has.
// The replayer makes it at start.
struct CaptureSummary {
  // Reads the file to its end. An error names the place.
  static Result<CaptureSummary> ReadFrom(CaptureFile file);

  EventCoverage coverage = EventCoverage::kAll;
  std::uint64_t datagrams = 0;
  std::uint64_t skipped_records = 0;  // of kinds that only newer programs know
  std::uint64_t clock_offset_ns = 0;  // a packet's time minus this is the events' CLOCK_MONOTONIC
  std::uint64_t first_ns = 0;         // of that clock
  std::uint64_t last_ns = 0;

  // How many events the kernel numbered on each CPU, from the first to the last.
  std::vector<std::uint32_t> events_per_cpu;

  [[nodiscard]] unsigned cpus() const { return static_cast<unsigned>(events_per_cpu.size()); }
};

// Feeds the packets of a capture to a processor. Pure: reads no clock and starts no thread. The replayer owns it.
class CaptureApplier {
 public:
  // Both must outlive it.
  CaptureApplier(const CaptureSummary& summary, InputProcessor& processor) : summary_(summary), processor_(processor) {}

  // When a packet was recorded, by the events' clock, shifted into the current round.
  [[nodiscard]] std::uint64_t PacketTimeNanos(const CapturedPacket& packet) const {
    return packet.time_ns - summary_.clock_offset_ns + shift_ns_;
  }
  [[nodiscard]] std::uint64_t round_start_ns() const { return summary_.first_ns + shift_ns_; }

  // Not for a ForeignPacket: its time is not on the capture's clock.
  void ApplyPacket(const CapturedPacket& packet);
  // Time passes without a packet.
  void Advance(std::uint64_t now_ns);
  // After the last packet of a round: the next round continues the time and the sequence numbers, as if the machine had
  // gone on. All processes of this round are gone.
  void BeginNextRound();

 private:
  struct EventShift;  // shifts the time and the sequence number of each event into the current round
  void Apply(Input input, std::uint64_t now_ns);

  const CaptureSummary& summary_;
  InputProcessor& processor_;
  std::uint32_t round_ = 0;
  std::uint64_t shift_ns_ = 0;        // added to the capture's time in this round
  std::uint64_t advanced_to_ns_ = 0;  // time of the last Advance of the processor
};

}  // namespace procevent
