#include "cmd/watch/watch_capture.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "cmd/cli/output.h"
#include "cmd/serve/privilege.h"
#include "cmd/watch/captured_names.h"
#include "core/base/system.h"
#include "core/protocol/capture_packet.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"

namespace procevent {
namespace {

constexpr std::uint64_t kMaxAheadNs = 2 * kNanosPerSecond;  // of the recording
constexpr std::size_t kMaxAheadBytes = 32U << 20U;

// Prints a packet: the messages of a datagram, or that an invalidation ended all names.
struct BufferedPacket {
  std::uint64_t time_ns = 0;
  Bytes datagram;
  bool invalidates = false;

  [[nodiscard]] std::size_t size() const { return sizeof(*this) + datagram.size(); }
};

BufferedPacket ToBuffered(const CapturedPacket& packet) {
  BufferedPacket buffered{
      .time_ns = packet.time_ns, .datagram = {}, .invalidates = FindInput<Invalidation>(packet.content) != nullptr};
  if (const auto* const datagram = FindInput<ConnectorDatagram>(packet.content)) {
    buffered.datagram.assign(datagram->bytes.begin(), datagram->bytes.end());
  }
  return buffered;
}

// Reads a capture ahead of its printing, so that the names of the packets to come are known.
class ReadAhead {
 public:
  ReadAhead(CaptureFile file, CapturedNames& names) : file_(std::move(file)), names_(names) {}

  // Returns the next datagram or record, or nothing at the end.
  std::optional<BufferedPacket> Next() {
    while (!ended_ && !is_full()) {
      ReadPacket();
    }
    if (packets_.empty()) {
      return std::nullopt;
    }
    BufferedPacket packet = std::move(packets_.front());
    packets_.pop_front();
    bytes_ -= packet.size();
    return packet;
  }
  // After the end: an error if the rest of the file cannot be read.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  [[nodiscard]] bool is_full() const {
    return !packets_.empty() &&
           (bytes_ >= kMaxAheadBytes || packets_.back().time_ns >= packets_.front().time_ns + kMaxAheadNs);
  }

  void ReadPacket() {
    const auto packet = file_.Read();
    if (!packet || !packet.value()) {
      status_ = packet ? Status(Success{}) : packet.error();
      ended_ = true;
      names_.Finish();
    } else if (!std::holds_alternative<ForeignPacket>(packet.value()->content)) {
      names_.Add(packet.value()->content);
      packets_.push_back(ToBuffered(*packet.value()));
      bytes_ += packets_.back().size();
    }
  }

  CaptureFile file_;
  CapturedNames& names_;
  std::deque<BufferedPacket> packets_;
  std::size_t bytes_ = 0;
  bool ended_ = false;
  Status status_ = Success{};
};

// The capture is read twice: for its facts, and to be printed.
Status WatchStoredCapture(const StoredCapture& capture, const WatchOptions& options, LineOutput& out) {
  auto facts = capture.StartReading();
  if (!facts) {
    return facts.error();
  }
  const auto summary = CaptureSummary::ReadFrom(std::move(facts).value());
  if (!summary) {
    return summary.error();
  }
  if (summary.value().skipped_records > 0) {
    PrintError("skipped records of a newer version in the capture: count=" +
               std::to_string(summary.value().skipped_records));
  }
  auto file = capture.StartReading();
  if (!file) {
    return file.error();
  }
  const std::string name = file.value().name();
  Status printed = PrintCapturedEvents(std::move(file).value(), summary.value(), options, out.text(),
                                       [&out] { return out.FlushWhenLarge(); });
  if (out.open() && capture.changed()) {
    return Error{"show the capture", "the file changed meanwhile", "show it again when its recording has ended", name};
  }
  return printed;
}

}  // namespace

Status PrintCapturedEvents(CaptureFile file, const CaptureSummary& summary, const WatchOptions& options,
                           std::string& out, const std::function<bool()>& flush) {
  CapturedNames names(summary);
  ReadAhead packets(std::move(file), names);
  EventPrinter printer(options, [](const CommBody& /*comm*/) { return false; },
                       {.cpus = summary.cpus(),
                        .gaps_are_losses = summary.coverage == EventCoverage::kAll,
                        .local_users = false,
                        .processes = {.proc = ""},
                        .update_table = [&names](ProcessTable& table) { names.ApplyNextStep(table); }});
  std::optional<BufferedPacket> packet = packets.Next();
  printer.BeginWithoutProc(out);
  const std::uint64_t first_packet_ns = summary.first_ns + summary.clock_offset_ns;
  const auto max_ms = options.duration ? std::optional<std::uint64_t>(options.duration->count()) : std::nullopt;
  for (; packet; packet = packets.Next()) {
    if (max_ms && (packet->time_ns - first_packet_ns) / kNanosPerMilli >= *max_ms) {
      return Success{};
    }
    if (packet->invalidates) {
      printer.Invalidate();
    }
    ForEachMessage(packet->datagram,
                   [&](const Message& message) { printer.Print(message, summary.clock_offset_ns, out); });
    if (!flush()) {
      return Success{};
    }
  }
  return packets.status();
}

int WatchCapture(const WatchOptions& options, const std::string& file) {
  ReserveStandardDescriptors();
  const auto capture = StoredCapture::Open(file);
  DropPrivilege();
  LineOutput out;
  const Status printed = capture ? WatchStoredCapture(capture.value(), options, out) : Status(capture.error());
  out.Flush();
  if (!printed) {
    PrintError(Describe(printed.error()));
  }
  return printed && !out.failed() ? 0 : 1;
}

}  // namespace procevent
