#include "core/reader/capture_applier.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "core/base/system.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/reader/input_recorder.h"

namespace procevent {
namespace {

// Between two rounds. Longer than a /proc snapshot waits for its confirmation.
constexpr std::uint64_t kPauseBetweenRounds = 3 * kNanosPerSecond;

// Shifts the times in a record into the current round.
struct TimeShift {
  std::uint64_t by_ns;

  void operator()(CaptureMetadata& /*metadata*/) const {}
  void operator()(CapturedNoRequest& /*no_request*/) const {}
  void operator()(CapturedInvalidation& /*invalidation*/) const {}
  void operator()(CapturedRejection& /*rejection*/) const {}
  void operator()(CapturedWatermark& watermark) const { watermark.applied_until_ns += by_ns; }
  void operator()(CapturedProcSnapshot& captured) const {
    captured.snapshot.taken_ns += by_ns;
    captured.snapshot.start_ns += captured.snapshot.start_ns == 0 ? 0 : by_ns;
  }
};

constexpr std::uint32_t kMaxCpus = 1U << 16U;  // a larger number in an event is not a CPU

// Builds the summary of a capture from its packets, added in order.
class SummaryBuilder {
 public:
  explicit SummaryBuilder(std::string name) : name_(std::move(name)) {}

  Status Add(const CapturedPacket& packet) {
    if (packet.kind == CapturedPacket::Kind::kForeign) {
      return Success{};
    }
    if (packet.kind == CapturedPacket::Kind::kDatagram) {
      AddDatagram(packet);
    } else if (Status added = AddRecord(packet.payload); !added) {
      return added;
    }
    first_ns_ = any_ ? std::min(first_ns_, packet.time_ns) : packet.time_ns;
    last_ns_ = std::max(last_ns_, packet.time_ns);
    any_ = true;
    return Success{};
  }

  Result<CaptureSummary> Build() {
    if (summary_.datagrams == 0) {
      return CannotUse("it has no process events", "record a capture with: procevent_exporter record FILE");
    }
    summary_.clock_offset_ns = clock_offset_ns_.value_or(0);
    if (first_ns_ < summary_.clock_offset_ns) {
      return CannotUse("it has packets from before its clock began, so it was edited", "use the original");
    }
    summary_.first_ns = first_ns_ - summary_.clock_offset_ns;
    summary_.last_ns = last_ns_ - summary_.clock_offset_ns;
    for (const auto& cpu : sequences_) {
      summary_.events_per_cpu.push_back(cpu ? cpu->last - cpu->first + 1 : 0);
    }
    return summary_;
  }

 private:
  struct SequenceRange {
    std::uint32_t first;
    std::uint32_t last;
  };

  [[nodiscard]] Error CannotUse(Cause cause, std::string_view remedy) const {
    return {"use the capture", cause, remedy, name_};
  }

  Status AddRecord(std::span<const std::byte> payload) {
    const auto record = DecodeRecord(payload);
    if (!record) {
      return CannotUse("it has a record of an unknown type", "the file is damaged, or of a newer procevent_exporter");
    }
    const auto* const metadata = std::get_if<CaptureMetadata>(&*record);
    return metadata == nullptr ? Success{} : AddMetadata(*metadata);
  }

  Status AddMetadata(const CaptureMetadata& metadata) {
    if (has_metadata_) {
      return CannotUse("it has the metadata of several captures", "use them one by one");
    }
    has_metadata_ = true;
    clock_offset_ns_ = metadata.clock_offset_ns;
    summary_.coverage = metadata.coverage;
    sequences_.resize(std::clamp<std::size_t>(metadata.cpus, sequences_.size(), kMaxCpus));
    return Success{};
  }

  // A capture that `record` did not write has no metadata: its first event gives the clock offset.
  void AddDatagram(const CapturedPacket& packet) {
    ++summary_.datagrams;
    ForEachMessage(packet.payload, [&](const Message& message) {
      if (message.outcome == DecodeOutcome::kEvent) {
        AddEvent(message.event, packet.time_ns);
      }
    });
  }

  void AddEvent(const Event& event, std::uint64_t packet_ns) {
    if (!clock_offset_ns_) {
      clock_offset_ns_ = packet_ns - event.timestamp_ns;
    }
    if (event.cpu < kMaxCpus) {
      sequences_.resize(std::max<std::size_t>(sequences_.size(), event.cpu + 1));
      Extend(sequences_[event.cpu], event.sequence);
    }
  }

  // At a resubscription two sockets deliver the same event. The second copy is behind the last number: it is ignored.
  static void Extend(std::optional<SequenceRange>& cpu, std::uint32_t sequence) {
    constexpr std::uint32_t kBehind = 1U << 31U;  // numbers wrap
    if (!cpu) {
      cpu = SequenceRange{sequence, sequence};
    } else if (sequence - cpu->last < kBehind) {
      cpu->last = sequence;
    }
  }

  std::string name_;
  CaptureSummary summary_;
  bool any_ = false;
  bool has_metadata_ = false;
  std::uint64_t first_ns_ = 0;
  std::uint64_t last_ns_ = 0;
  std::optional<std::uint64_t> clock_offset_ns_;
  std::vector<std::optional<SequenceRange>> sequences_;
};

}  // namespace

Result<CaptureSummary> CaptureSummary::ReadFrom(CaptureFile file) {
  SummaryBuilder builder(file.name());
  auto packet = file.Read();
  for (; packet && packet.value(); packet = file.Read()) {
    if (const Status added = builder.Add(*packet.value()); !added) {
      return added.error();
    }
  }
  return packet ? builder.Build() : packet.error();
}

void CaptureApplier::ApplyPacket(const CapturedPacket& packet) {
  const std::uint64_t now = PacketTimeNanos(packet);
  Advance(now);
  if (packet.kind == CapturedPacket::Kind::kDatagram) {
    ApplyDatagram(packet.payload, now);
  } else if (const auto record = DecodeRecord(packet.payload)) {
    ApplyCaptureRecord(*record);
  }
}

// Datagrams of one batch can be a little older than a record written before them, and time must not go back.
void CaptureApplier::Advance(std::uint64_t now_ns) {
  if (now_ns > advanced_to_ns_) {
    advanced_to_ns_ = now_ns;
    ledger_.Advance(now_ns);
  }
}

void CaptureApplier::ApplyDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
  ForEachMessage(datagram, [&](Message& message) {
    Event& event = message.event;
    event.timestamp_ns += shift_ns_;
    if (event.cpu < summary_.cpus()) {
      event.sequence += round_ * summary_.events_per_cpu[event.cpu];
    }
    ledger_.ApplyMessage(message, now_ns);
  });
}

void CaptureApplier::ApplyCaptureRecord(CaptureRecord record) {
  std::visit(TimeShift{shift_ns_}, record);
  const auto* const captured = std::get_if<CapturedProcSnapshot>(&record);
  if ((captured != nullptr && captured->requested) || std::holds_alternative<CapturedNoRequest>(record)) {
    static_cast<void>(ledger_.reconciler().NextRequest());  // taken by the recorder, too: it changes the ledger
  }
  ApplyRecord(record, ledger_);
}

void CaptureApplier::BeginNextRound() {
  const std::uint64_t gone_ns = summary_.last_ns + shift_ns_ + kNanosPerSecond;
  const std::uint64_t confirmed_ns = gone_ns + kNanosPerSecond;
  ProcReconciler& reconciler = ledger_.reconciler();
  reconciler.ConfirmUpTo(confirmed_ns);  // empties the bounded list of snapshots that wait for confirmation
  ledger_.Invalidate();
  RowId cursor = 0;
  while (const auto tgid = reconciler.NextStale(cursor, reconciler.end_of_rows())) {
    reconciler.ApplyGone(*tgid, gone_ns);
    if (!reconciler.has_capacity()) {
      reconciler.ConfirmUpTo(confirmed_ns);
    }
  }
  reconciler.ConfirmUpTo(confirmed_ns);
  shift_ns_ += summary_.last_ns - summary_.first_ns + kPauseBetweenRounds;
  ++round_;
}

}  // namespace procevent
