// Replays any bytes as a capture, and prints it as `decode` and `watch` do. Checks that it is read to its end or
// rejected with an error of one line, that the sums of the statistics are right in each round, and that lines are
// printable.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "cmd/capture/record_json.h"
#include "cmd/watch/watch_capture.h"
#include "core/reader/capture_applier.h"
#include "require.h"

namespace procevent {
namespace {

class CaptureBytes {
 public:
  CaptureBytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] Result<CaptureFile> Open() const {
    // NOLINTNEXTLINE(*-const-cast): the stream is read-only
    return CaptureFile::Open(::fmemopen(const_cast<std::uint8_t*>(data_), size_, "rb"), "fuzz");
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void CheckSums(const InputProcessor& processor, unsigned cpus) {
  Numbers snapshot(cpus);
  processor.CopyTo(snapshot);
  Counts counts = snapshot.pending;
  for (const GroupRow& row : snapshot.groups.rows) {
    counts += row.counts;
  }
  if (!snapshot.processes_tracked) {
    return;
  }
  Require(counts[CountKind::kForks] + counts[CountKind::kThreadsStarted] == snapshot.events_of(EventKind::kFork),
          "forks");
  Require(counts[CountKind::kExecs] == snapshot.events_of(EventKind::kExec), "execs");
  Require(counts[CountKind::kSucceeded] + counts[CountKind::kFailed] + counts[CountKind::kKilled] +
                  counts[CountKind::kThreadsEnded] ==
              snapshot.events_of(EventKind::kExit),
          "exits");
}

template <typename OnPacket>
void ForEachPacket(const CaptureBytes& bytes, const OnPacket& on_packet) {
  CaptureFile file = bytes.Open().value();
  auto packet = file.Read();
  for (; packet && packet.value(); packet = file.Read()) {
    on_packet(*packet.value());
  }
  Require(packet.ok(), "a capture that was read once is readable again");
}

void CheckPrintable(const std::string& lines) {
  Require(std::ranges::none_of(lines, [](char c) { return c >= 0 && c < ' ' && c != '\n'; }),
          "a line has no control characters");
}

void CheckRecordLines(const CaptureBytes& bytes) {
  ForEachPacket(bytes, [](const CapturedPacket& packet) {
    if (const auto line = FormatRecordJsonLine(packet.content)) {
      CheckPrintable(*line);
      Require(line->find('\n') == std::string::npos && IsRecordJsonLine(*line), "a record is one line");
    }
  });
}

void CheckWatch(const CaptureBytes& bytes, const CaptureSummary& summary, const WatchOptions& options) {
  std::string out;
  const Status printed = PrintCapturedEvents(bytes.Open().value(), summary, options, out, [] { return true; });
  Require(printed.ok(), "a capture that was read once is readable again");
  CheckPrintable(out);
}

Status ReplayAll(const CaptureBytes& bytes) {
  Result<CaptureFile> opened = bytes.Open();
  if (!opened) {
    return opened.error();
  }
  const Result<CaptureSummary> read = CaptureSummary::ReadFrom(std::move(opened).value());
  if (!read) {
    return read.error();
  }
  const CaptureSummary& summary = read.value();
  CountingOptions options;
  options.process_limit = 1024;
  InputProcessor processor(summary.cpus(), summary.coverage, options);
  CaptureApplier applier(summary, processor);
  for (int round = 0; round < 2; ++round) {
    ForEachPacket(bytes, [&applier](const CapturedPacket& packet) { applier.ApplyPacket(packet); });
    CheckSums(processor, summary.cpus());
    applier.BeginNextRound();
  }
  CheckRecordLines(bytes);
  CheckWatch(bytes, summary, {});
  CheckWatch(bytes, summary, {.json = true, .duration = std::chrono::milliseconds(1000)});
  return Success{};
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;  // fmemopen rejects this size
  }
  if (const procevent::Status replayed = procevent::ReplayAll({data, size}); !replayed) {
    procevent::Require(Describe(replayed.error()).find('\n') == std::string::npos, "an error is one line");
  }
  return 0;
}
