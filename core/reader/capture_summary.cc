#include "core/reader/capture_summary.h"

#include <algorithm>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"

namespace procevent {
namespace {

constexpr std::uint32_t kMostCpus = 1U << 16U;  // what is beyond is no CPU

// Reads one packet after the other, and ends with what they say together.
class Summing {
 public:
  explicit Summing(std::string name) : name_(std::move(name)) {}

  void Add(const CapturedPacket& packet) {
    if (packet.family == kConnectorFamily) {
      AddDatagram(packet);
    } else if (packet.family != kRecordFamily || !IsRecord(packet.payload)) {
      return;  // somebody else's
    } else if (const auto record = DecodeRecord(packet.payload)) {
      if (const auto* const opening = std::get_if<CaptureOpening>(&*record)) {
        Open(*opening);
      }
    } else {
      throw std::runtime_error(name_ + " holds a record that this version does not know: replay it with a newer one");
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
    summary_.first_ns = first_ns_ - summary_.clock_offset_ns;
    summary_.last_ns = last_ns_ - summary_.clock_offset_ns;
    for (const auto& cpu : numbers_) {
      summary_.numbered.push_back(cpu ? cpu->last - cpu->first + 1 : 0);
    }
    return summary_;
  }

 private:
  struct Numbers {
    std::uint32_t first;
    std::uint32_t last;
  };

  void Open(const CaptureOpening& opening) {
    if (opened_) {
      throw std::runtime_error(name_ + " is several captures in one: replay them one by one");
    }
    opened_ = true;
    clock_offset_ns_ = opening.clock_offset_ns;
    summary_.hearing = opening.hearing;
    numbers_.resize(std::clamp<std::size_t>(opening.cpus, numbers_.size(), kMostCpus));
  }

  // Of a capture that is not by `record` the first event tells which clock it goes by.
  void AddDatagram(const CapturedPacket& packet) {
    ++summary_.datagrams;
    Decoder decoder(packet.payload);
    while (decoder.Next(message_)) {
      if (message_.outcome != Outcome::kEvent) {
        continue;
      }
      const Event& event = message_.event;
      if (!clock_offset_ns_) {
        clock_offset_ns_ = packet.time_ns - event.timestamp_ns;
      }
      if (event.cpu < kMostCpus) {
        numbers_.resize(std::max<std::size_t>(numbers_.size(), event.cpu + 1));
        auto& cpu = numbers_[event.cpu];
        cpu = Numbers{cpu ? cpu->first : event.sequence, event.sequence};
      }
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

CaptureSummary CaptureSummary::Of(CaptureFile file) {
  Summing summing(file.name());
  CapturedPacket packet;
  CaptureFile::Got got = file.Read(packet);
  for (; got == CaptureFile::Got::kPacket; got = file.Read(packet)) {
    summing.Add(packet);
  }
  if (got == CaptureFile::Got::kFault) {
    throw std::runtime_error(file.fault());
  }
  return summing.Sum();
}

}  // namespace procevent
