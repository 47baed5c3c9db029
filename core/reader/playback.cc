#include "core/reader/playback.h"

#include <variant>

#include "core/base/clock.h"
#include "core/reader/teller.h"

namespace procevent {
namespace {

constexpr std::uint64_t kPause = 3 * kNanosPerSecond;  // between two rounds; longer than an answer of /proc waits

// A time of the capture, in the present round.
struct Shift {
  std::uint64_t by_ns;

  void operator()(CaptureOpening& /*opening*/) const {}
  void operator()(CapturedSilence& /*silence*/) const {}
  void operator()(CapturedDoubt& /*doubt*/) const {}
  void operator()(CapturedRejection& /*rejection*/) const {}
  void operator()(CapturedSettling& settling) const { settling.heard_ns += by_ns; }
  void operator()(CapturedSight& sight) const {
    sight.sighting.taken_ns += by_ns;
    sight.sighting.start_ns += sight.sighting.start_ns == 0 ? 0 : by_ns;
  }
};

}  // namespace

void Playback::Play(const CapturedPacket& packet) {
  const std::uint64_t now = TimeOf(packet);
  Advance(now);
  if (packet.kind == CapturedPacket::Kind::kDatagram) {
    PlayDatagram(packet.payload, now);
  } else if (const auto record = DecodeRecord(packet.payload)) {
    PlayRecord(*record);
  }
}

// Datagrams of one read are a little older than what was told before them.
void Playback::Advance(std::uint64_t now_ns) {
  if (now_ns > reached_ns_) {
    reached_ns_ = now_ns;
    ledger_.Advance(now_ns);
  }
}

void Playback::PlayDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
  Decoder decoder(datagram);
  while (decoder.Next(message_)) {
    Event& event = message_.event;
    event.timestamp_ns += shift_ns_;
    if (event.cpu < summary_.cpus()) {
      event.sequence += round_ * summary_.numbered[event.cpu];
    }
    ledger_.Book(message_, now_ns);
  }
}

void Playback::PlayRecord(CaptureRecord record) {
  std::visit(Shift{shift_ns_}, record);
  const auto* const sight = std::get_if<CapturedSight>(&record);
  if ((sight != nullptr && sight->asked) || std::holds_alternative<CapturedSilence>(record)) {
    static_cast<void>(ledger_.sightings().NextQuestion());  // what it asks was asked; asking leaves its traces
  }
  Tell(record, ledger_);
}

void Playback::BeginAnew() {
  const std::uint64_t gone = summary_.last_ns + shift_ns_ + kNanosPerSecond;
  const std::uint64_t settled = gone + kNanosPerSecond;
  Sightings& sightings = ledger_.sightings();
  sightings.Settle(settled);  // what still waits, so that there is room
  ledger_.Doubt();
  RowId cursor = 0;
  while (const auto tgid = sightings.NextInDoubt(cursor, sightings.end_of_rows())) {
    sightings.SawGone(*tgid, gone);
    if (!sightings.room()) {
      sightings.Settle(settled);
    }
  }
  sightings.Settle(settled);
  shift_ns_ += summary_.last_ns - summary_.first_ns + kPause;
  ++round_;
}

}  // namespace procevent
