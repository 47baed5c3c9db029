// Tells a ledger what a capture holds, packet by packet, on the capture's own time: what a replay does but for waiting.
// Pure: knows no clock and no thread. Owned by the replayer.
#pragma once

#include <cstdint>
#include <span>

#include "core/ledger/ledger.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/reader/capture_summary.h"
#include "core/source/capture_file.h"

namespace procevent {

class Playback {
 public:
  // Both must outlive it.
  Playback(const CaptureSummary& summary, Ledger& ledger) : summary_(summary), ledger_(ledger) {}

  // When a packet was taken down, by the events' clock.
  [[nodiscard]] std::uint64_t TimeOf(const CapturedPacket& packet) const {
    return packet.time_ns - summary_.clock_offset_ns + shift_ns_;
  }
  // When this round begins.
  [[nodiscard]] std::uint64_t begins_ns() const { return summary_.first_ns + shift_ns_; }

  void Play(const CapturedPacket& packet);
  // Time passes, packets or not.
  void Advance(std::uint64_t now_ns);
  // All packets were played, and the first follows again, as if the machine had gone on: time and numbers run on, and
  // nobody of this round lives any more.
  void BeginAnew();

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
