#include "core/reader/capture_applier.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "core/base/system.h"
#include "core/protocol/capture_packet.h"
#include "core/protocol/decoder.h"

namespace procevent {
namespace {

// Between two rounds. Longer than a /proc snapshot waits for its confirmation.
constexpr std::uint64_t kPauseBetweenRounds = 3 * kNanosPerSecond;

constexpr std::uint32_t kMaxCpus = 1U << 16U;  // a larger number in an event is not a CPU

// Builds the summary of a capture from its packets, added in order.
class SummaryBuilder {
 public:
  explicit SummaryBuilder(std::string name) : name_(std::move(name)) {}

  Status Add(const CapturedPacket& packet) {
    ++packets_;
    if (std::holds_alternative<ForeignPacket>(packet.content)) {
      return Success{};
    }
    if (Status added = AddContent(packet); !added) {
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

  Status AddContent(const CapturedPacket& packet) {
    if (std::holds_alternative<InvalidRecord>(packet.content)) {
      return Error{"use the capture", "it has a damaged record, or one of a newer format",
                   "use the original, or a newer procevent_exporter", name_ + " at packet " + std::to_string(packets_)};
    }
    if (const auto* const metadata = std::get_if<CaptureMetadata>(&packet.content)) {
      return AddMetadata(*metadata);
    }
    summary_.skipped_records += std::holds_alternative<UnknownRecord>(packet.content) ? 1U : 0U;
    if (const auto* const datagram = FindInput<ConnectorDatagram>(packet.content)) {
      AddDatagram(*datagram, packet.time_ns);
    }
    return Success{};
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
  void AddDatagram(const ConnectorDatagram& datagram, std::uint64_t packet_ns) {
    ++summary_.datagrams;
    ForEachMessage(datagram.bytes, [&](const Message& message) {
      if (message.outcome == DecodeOutcome::kEvent) {
        AddEvent(message.event, packet_ns);
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
  std::uint64_t packets_ = 0;  // added so far
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

struct CaptureApplier::EventShift {
  const CaptureApplier& applier;

  void BeforeEvent(Event& event) const {
    event.timestamp_ns += applier.shift_ns_;
    if (event.cpu < applier.summary_.cpus()) {
      event.sequence += applier.round_ * applier.summary_.events_per_cpu[event.cpu];
    }
  }
  void AfterEvent(const Event& /*event*/) const {}
};

void CaptureApplier::ApplyPacket(const CapturedPacket& packet) {
  const std::uint64_t now = PacketTimeNanos(packet);
  Advance(now);
  if (const auto* const input = std::get_if<Input>(&packet.content)) {
    Apply(*input, now);
  }
}

// Datagrams of one batch can be a little older than a record written before them, and time must not go back.
void CaptureApplier::Advance(std::uint64_t now_ns) {
  if (now_ns > advanced_to_ns_) {
    advanced_to_ns_ = now_ns;
    processor_.Advance(now_ns);
  }
}

void CaptureApplier::Apply(Input input, std::uint64_t now_ns) {
  std::visit(TimeShift{shift_ns_}, input);
  const auto* const read = std::get_if<ProcRead>(&input);
  if ((read != nullptr && read->requested) || std::holds_alternative<NoProcRequest>(input)) {
    static_cast<void>(processor_.reconciler().NextRequest());  // taken by the recorder, too: it changes the tracker
  }
  processor_.Apply(input, now_ns, EventShift{*this});
}

void CaptureApplier::BeginNextRound() {
  const std::uint64_t gone_ns = summary_.last_ns + shift_ns_ + kNanosPerSecond;
  const std::uint64_t confirmed_ns = gone_ns + kNanosPerSecond;
  const ProcReconciler& reconciler = processor_.reconciler();
  processor_.Apply(Watermark{confirmed_ns}, gone_ns);  // empties the bounded list of snapshots that wait for it
  processor_.Apply(Invalidation{}, gone_ns);
  RowId cursor = 0;
  while (const auto tgid = reconciler.NextStale(cursor, reconciler.end_of_rows())) {
    ProcRead gone{.kind = ProcRead::Kind::kGone, .snapshot = {}};
    gone.snapshot.tgid = *tgid;
    gone.snapshot.taken_ns = gone_ns;
    processor_.Apply(gone, gone_ns);
    if (!reconciler.has_capacity()) {
      processor_.Apply(Watermark{confirmed_ns}, gone_ns);
    }
  }
  processor_.Apply(Watermark{confirmed_ns}, gone_ns);
  shift_ns_ += summary_.last_ns - summary_.first_ns + kPauseBetweenRounds;
  ++round_;
}

}  // namespace procevent
