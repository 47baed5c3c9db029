// Any bytes as a capture: it is read to its end or refused in a line, and what it tells a ledger adds up, round after
// round.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "core/reader/capture_applier.h"
#include "require.h"

namespace procevent {
namespace {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] CaptureFile Open() const {
    // NOLINTNEXTLINE(*-const-cast): it is only read
    return {::fmemopen(const_cast<std::uint8_t*>(data_), size_, "rb"), "fuzz"};
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void CheckSums(const Ledger& ledger, unsigned cpus) {
  LedgerSnapshot numbers(cpus);
  ledger.CopyTo(numbers);
  Counts booked = numbers.pending;
  for (const CommRow& row : numbers.comms.rows) {
    booked += row.counts;
  }
  if (!numbers.processes_tracked) {
    return;
  }
  Require(booked[CountKind::kForks] + booked[CountKind::kThreadsStarted] == numbers.events_of(EventKind::kFork),
          "forks");
  Require(booked[CountKind::kExecs] == numbers.events_of(EventKind::kExec), "execs");
  Require(booked[CountKind::kSucceeded] + booked[CountKind::kFailed] + booked[CountKind::kKilled] +
                  booked[CountKind::kThreadsEnded] ==
              numbers.events_of(EventKind::kExit),
          "exits");
}

void ReplayAll(const Bytes& bytes) {
  const CaptureSummary summary = CaptureSummary::ReadFrom(bytes.Open());
  LedgerOptions options;
  options.process_limit = 1024;
  Ledger ledger(summary.cpus(), summary.coverage, options);
  CaptureApplier playback(summary, ledger);
  for (int round = 0; round < 2; ++round) {
    CaptureFile file = bytes.Open();
    CapturedPacket packet;
    CaptureFile::PacketResult got = file.Read(packet);
    for (; got == CaptureFile::PacketResult::kPacket; got = file.Read(packet)) {
      playback.ApplyPacket(packet);
    }
    Require(got == CaptureFile::PacketResult::kEnd, "what was whole is whole");
    CheckSums(ledger, summary.cpus());
    playback.BeginNextRound();
  }
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;  // fmemopen has none of that size
  }
  try {
    procevent::ReplayAll({data, size});
  } catch (const std::runtime_error& fault) {
    procevent::Require(std::string_view(fault.what()).find('\n') == std::string_view::npos, "a fault is one line");
  }
  return 0;
}
