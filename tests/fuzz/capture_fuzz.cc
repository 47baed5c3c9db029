// Replays any bytes as a capture. Checks that it is read to its end or rejected with an error of one line, and that the
// sums of the ledger are right in each round.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "core/reader/capture_applier.h"
#include "require.h"

namespace procevent {
namespace {

class CaptureBytes {
 public:
  CaptureBytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] CaptureFile Open() const {
    // NOLINTNEXTLINE(*-const-cast): the stream is read-only
    return {::fmemopen(const_cast<std::uint8_t*>(data_), size_, "rb"), "fuzz"};
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void CheckSums(const Ledger& ledger, unsigned cpus) {
  LedgerSnapshot snapshot(cpus);
  ledger.CopyTo(snapshot);
  Counts counts = snapshot.pending;
  for (const CommRow& row : snapshot.comms.rows) {
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

void ReplayAll(const CaptureBytes& bytes) {
  const CaptureSummary summary = CaptureSummary::ReadFrom(bytes.Open());
  LedgerOptions options;
  options.process_limit = 1024;
  Ledger ledger(summary.cpus(), summary.coverage, options);
  CaptureApplier applier(summary, ledger);
  for (int round = 0; round < 2; ++round) {
    CaptureFile file = bytes.Open();
    CapturedPacket packet;
    CaptureFile::PacketResult result = file.Read(packet);
    for (; result == CaptureFile::PacketResult::kPacket; result = file.Read(packet)) {
      applier.ApplyPacket(packet);
    }
    Require(result == CaptureFile::PacketResult::kEnd, "a capture that was read once is readable again");
    CheckSums(ledger, summary.cpus());
    applier.BeginNextRound();
  }
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;  // fmemopen rejects this size
  }
  try {
    procevent::ReplayAll({data, size});
  } catch (const std::runtime_error& error) {
    procevent::Require(std::string_view(error.what()).find('\n') == std::string_view::npos, "an error is one line");
  }
  return 0;
}
