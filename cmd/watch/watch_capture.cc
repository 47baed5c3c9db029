#include "cmd/watch/watch_capture.h"

#include <poll.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include "cmd/cli/output.h"
#include "cmd/serve/signals.h"
#include "cmd/watch/captured_names.h"
#include "core/base/system.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/reader/capture_applier.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {
namespace {

constexpr std::uint64_t kPacketsPerSignalCheck = 256;

// Calls `on_packet` with each datagram and record, until it returns false.
template <typename OnPacket>
Status ForEachPacket(const StoredCapture& capture, const OnPacket& on_packet) {
  auto file = capture.StartReading();
  if (!file) {
    return file.error();
  }
  while (true) {
    const auto packet = file.value().Read();
    if (!packet) {
      return packet.error();
    }
    if (!packet.value()) {
      return Success{};
    }
    if (packet.value()->kind != CapturedPacket::Kind::kForeign && !on_packet(*packet.value())) {
      return Success{};
    }
  }
}

Result<CaptureSummary> ReadSummary(const StoredCapture& capture) {
  auto file = capture.StartReading();
  return file ? CaptureSummary::ReadFrom(std::move(file).value()) : file.error();
}

bool IsSignalPending(const SignalReceiver& signals) {
  pollfd entry{signals.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

// The capture is read three times: for its facts, for its names, and to be printed.
Status PrintCapture(const WatchOptions& options, const std::string& file, const SignalReceiver& signals,
                    LineOutput& out) {
  const auto capture = StoredCapture::Open(file);
  if (!capture) {
    return capture.error();
  }
  const auto summary = ReadSummary(capture.value());
  if (!summary) {
    return summary.error();
  }
  CapturedNames names(summary.value());
  const Status read = ForEachPacket(capture.value(), [&names](const CapturedPacket& packet) {
    names.Add(packet);
    return true;
  });
  if (!read) {
    return read;
  }
  names.Finish();

  EventPrinter printer(options, [](const CommBody& /*comm*/) { return false; },
                       {.cpus = summary.value().cpus(),
                        .gaps_are_losses = summary.value().coverage == EventCoverage::kAll,
                        .local_users = false,
                        .processes = {.proc = ""},
                        .update_table = [&names](ProcessTable& table) { names.ApplyNextStep(table); }});
  printer.BeginWithoutProc(out.text());
  const std::uint64_t clock_offset_ns = summary.value().clock_offset_ns;
  const std::uint64_t end_ns = options.duration
                                   ? summary.value().first_ns + clock_offset_ns +
                                         static_cast<std::uint64_t>(options.duration->count()) * kNanosPerMilli
                                   : std::numeric_limits<std::uint64_t>::max();
  std::uint64_t packets = 0;
  return ForEachPacket(capture.value(), [&](const CapturedPacket& packet) {
    if (packet.time_ns >= end_ns || (++packets % kPacketsPerSignalCheck == 0 && IsSignalPending(signals))) {
      return false;
    }
    if (packet.kind == CapturedPacket::Kind::kDatagram) {
      ForEachMessage(packet.payload,
                     [&](const Message& message) { printer.Print(message, clock_offset_ns, out.text()); });
    } else if (const auto record = DecodeRecord(packet.payload);
               record && std::holds_alternative<CapturedInvalidation>(*record)) {
      printer.Invalidate();
    }
    return out.FlushWhenLarge();
  });
}

}  // namespace

int WatchCapture(const WatchOptions& options, const std::string& file) {
  ReserveStandardDescriptors();
  const SignalReceiver signals;
  LineOutput out(signals.fd());
  const Status printed = PrintCapture(options, file, signals, out);
  out.Flush();
  if (!printed) {
    PrintError(Describe(printed.error()));
  }
  return printed && !out.failed() ? 0 : 1;
}

}  // namespace procevent
