#include "core/reader/capture_applier.h"

#include <algorithm>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "core/base/system.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/reader/input_recorder.h"

namespace procevent {

namespace {

constexpr std::uint32_t kMostCpus = 1U << 16U;  // what is beyond is no CPU

// Reads one packet after the other, and ends with what they say together.
class Summing {
 public:
  explicit Summing(std::string name) : name_(std::move(name)) {}

  void Add(const CapturedPacket& packet) {
    switch (packet.kind) {
      case CapturedPacket::Kind::kForeign:
        return;
      case CapturedPacket::Kind::kDatagram:
        AddDatagram(packet);
        break;
      case CapturedPacket::Kind::kRecord:
        AddRecord(packet.payload);
        break;
    }
    first_ns_ = any_ ? std::min(first_ns_, packet.time_ns) : packet.time_ns;
    last_ns_ = std::max(last_ns_, packet.time_ns);
    any_ = true;
  }

  CaptureSummary Sum() {
    if (summary_.datagrams == 0) {
      throw std::runtime_error(name_ + " holds no process event: record one with: procevent_exporter record FILE");
    }
    summary_.clock_offset_ns = clock_offset_ns_.value_or(0);
    if (first_ns_ < summary_.clock_offset_ns) {
      throw std::runtime_error(name_ + " has packets from before its clock began: it was edited; replay the original");
    }
    summary_.first_ns = first_ns_ - summary_.clock_offset_ns;
    summary_.last_ns = last_ns_ - summary_.clock_offset_ns;
    for (const auto& cpu : numbers_) {
      summary_.events_per_cpu.push_back(cpu ? cpu->last - cpu->first + 1 : 0);
    }
    return summary_;
  }

 private:
  struct Numbers {
    std::uint32_t first;
    std::uint32_t last;
  };

  void AddRecord(std::span<const std::byte> payload) {
    const auto record = DecodeRecord(payload);
    if (!record) {
      throw std::runtime_error(name_ + " holds a record that this version does not know: replay it with a newer one");
    }
    if (const auto* const opening = std::get_if<CaptureMetadata>(&*record)) {
      Open(*opening);
    }
  }

  void Open(const CaptureMetadata& opening) {
    if (opened_) {
      throw std::runtime_error(name_ + " is several captures in one: replay them one by one");
    }
    opened_ = true;
    clock_offset_ns_ = opening.clock_offset_ns;
    summary_.coverage = opening.coverage;
    numbers_.resize(std::clamp<std::size_t>(opening.cpus, numbers_.size(), kMostCpus));
  }

  // Of a capture that is not by `record` the first event tells which clock it goes by.
  void AddDatagram(const CapturedPacket& packet) {
    ++summary_.datagrams;
    Decoder decoder(packet.payload);
    while (decoder.Next(message_)) {
      if (message_.outcome != DecodeOutcome::kEvent) {
        continue;
      }
      const Event& event = message_.event;
      if (!clock_offset_ns_) {
        clock_offset_ns_ = packet.time_ns - event.timestamp_ns;
      }
      if (event.cpu < kMostCpus) {
        numbers_.resize(std::max<std::size_t>(numbers_.size(), event.cpu + 1));
        Note(numbers_[event.cpu], event.sequence);
      }
    }
  }

  // What a changeover of sockets delivered twice is behind the last one.
  static void Note(std::optional<Numbers>& cpu, std::uint32_t sequence) {
    constexpr std::uint32_t kBehind = 1U << 31U;
    if (!cpu) {
      cpu = Numbers{sequence, sequence};
    } else if (sequence - cpu->last < kBehind) {
      cpu->last = sequence;
    }
  }

  std::string name_;
  CaptureSummary summary_;
  Message message_;
  bool any_ = false;
  bool opened_ = false;
  std::uint64_t first_ns_ = 0;
  std::uint64_t last_ns_ = 0;
  std::optional<std::uint64_t> clock_offset_ns_;
  std::vector<std::optional<Numbers>> numbers_;
};

}  // namespace

CaptureSummary CaptureSummary::ReadFrom(CaptureFile file) {
  Summing summing(file.name());
  CapturedPacket packet;
  CaptureFile::PacketResult got = file.Read(packet);
  for (; got == CaptureFile::PacketResult::kPacket; got = file.Read(packet)) {
    summing.Add(packet);
  }
  if (got == CaptureFile::PacketResult::kFault) {
    throw std::runtime_error(file.fault());
  }
  return summing.Sum();
}

namespace {

constexpr std::uint64_t kPause = 3 * kNanosPerSecond;  // between two rounds; longer than an answer of /proc waits

// A time of the capture, in the present round.
struct Shift {
  std::uint64_t by_ns;

  void operator()(CaptureMetadata& /*opening*/) const {}
  void operator()(CapturedNoRequest& /*silence*/) const {}
  void operator()(CapturedInvalidation& /*doubt*/) const {}
  void operator()(CapturedRejection& /*rejection*/) const {}
  void operator()(CapturedWatermark& settling) const { settling.complete_until_ns += by_ns; }
  void operator()(CapturedProcSnapshot& sight) const {
    sight.snapshot.taken_ns += by_ns;
    sight.snapshot.start_ns += sight.snapshot.start_ns == 0 ? 0 : by_ns;
  }
};

}  // namespace

void CaptureApplier::ApplyPacket(const CapturedPacket& packet) {
  const std::uint64_t now = PacketTimeNanos(packet);
  Advance(now);
  if (packet.kind == CapturedPacket::Kind::kDatagram) {
    PlayDatagram(packet.payload, now);
  } else if (const auto record = DecodeRecord(packet.payload)) {
    PlayRecord(*record);
  }
}

// Datagrams of one read are a little older than what was told before them.
void CaptureApplier::Advance(std::uint64_t now_ns) {
  if (now_ns > reached_ns_) {
    reached_ns_ = now_ns;
    ledger_.Advance(now_ns);
  }
}

void CaptureApplier::PlayDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
  Decoder decoder(datagram);
  while (decoder.Next(message_)) {
    Event& event = message_.event;
    event.timestamp_ns += shift_ns_;
    if (event.cpu < summary_.cpus()) {
      event.sequence += round_ * summary_.events_per_cpu[event.cpu];
    }
    ledger_.ApplyMessage(message_, now_ns);
  }
}

void CaptureApplier::PlayRecord(CaptureRecord record) {
  std::visit(Shift{shift_ns_}, record);
  const auto* const sight = std::get_if<CapturedProcSnapshot>(&record);
  if ((sight != nullptr && sight->requested) || std::holds_alternative<CapturedNoRequest>(record)) {
    static_cast<void>(ledger_.reconciler().NextRequest());  // what it asks was asked; asking leaves its traces
  }
  ApplyRecord(record, ledger_);
}

void CaptureApplier::BeginNextRound() {
  const std::uint64_t gone = summary_.last_ns + shift_ns_ + kNanosPerSecond;
  const std::uint64_t settled = gone + kNanosPerSecond;
  ProcReconciler& sightings = ledger_.reconciler();
  sightings.ConfirmUpTo(settled);  // what still waits, so that there is room
  ledger_.Invalidate();
  RowId cursor = 0;
  while (const auto tgid = sightings.NextStale(cursor, sightings.end_of_rows())) {
    sightings.ApplyGone(*tgid, gone);
    if (!sightings.has_capacity()) {
      sightings.ConfirmUpTo(settled);
    }
  }
  sightings.ConfirmUpTo(settled);
  shift_ns_ += summary_.last_ns - summary_.first_ns + kPause;
  ++round_;
}

}  // namespace procevent
