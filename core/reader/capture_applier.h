// FOLDED: capture_summary.h, playback.h
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ledger/ledger.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event_mask.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// What must be known of a capture before it is replayed: that it is whole, which clock it goes by, and how far its
// numbers run. Made by the replayer, at start.

struct CaptureSummary {
  // Reads the file to its end. Throws std::runtime_error with a line that names what is wrong, and where.
  static CaptureSummary ReadFrom(CaptureFile file);

  EventCoverage coverage = EventCoverage::kAll;
  std::uint64_t datagrams = 0;
  std::uint64_t clock_offset_ns = 0;  // a packet's time less this is the CLOCK_MONOTONIC of the events
  std::uint64_t first_ns = 0;         // of that clock
  std::uint64_t last_ns = 0;

  // How many events the kernel numbered on each CPU, from the first to the last.
  std::vector<std::uint32_t> events_per_cpu;

  [[nodiscard]] unsigned cpus() const { return static_cast<unsigned>(events_per_cpu.size()); }
};

// Tells a ledger what a capture holds, packet by packet, on the capture's own time: what a replay does but for waiting.
// Pure: knows no clock and no thread. Owned by the replayer.

class CaptureApplier {
 public:
  // Both must outlive it.
  CaptureApplier(const CaptureSummary& summary, Ledger& ledger) : summary_(summary), ledger_(ledger) {}

  // When a packet was taken down, by the events' clock.
  [[nodiscard]] std::uint64_t PacketTimeNanos(const CapturedPacket& packet) const {
    return packet.time_ns - summary_.clock_offset_ns + shift_ns_;
  }
  // When this round begins.
  [[nodiscard]] std::uint64_t round_start_ns() const { return summary_.first_ns + shift_ns_; }

  // Not of a foreign one: that has no place in the capture's time.
  void ApplyPacket(const CapturedPacket& packet);
  // Time passes, packets or not.
  void Advance(std::uint64_t now_ns);
  // All packets were played, and the first follows again, as if the machine had gone on: time and numbers run on, and
  // nobody of this round lives any more.
  void BeginNextRound();

 private:
  void PlayDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns);
  void PlayRecord(CaptureRecord record);

  const CaptureSummary& summary_;
  Ledger& ledger_;
  Message message_;
  std::uint32_t round_ = 0;
  std::uint64_t shift_ns_ = 0;  // of this round's time against the capture's
  std::uint64_t reached_ns_ = 0;
};

}  // namespace procevent
