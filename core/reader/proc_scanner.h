// Looks at /proc for the ledger: at all processes once, when it starts to listen; at those whose name waits, whenever
// the queue has been emptied; and, after something was missed, at all that are in doubt, a few at a time. What it sees
// is told to the ledger's sightings, which decide what to believe. The reader owns it.
#pragma once

#include <cstdint>
#include <utility>

#include "core/base/system.h"
#include "core/ledger/proc_reconciler.h"
#include "core/reader/input_recorder.h"
#include "core/sources/procfs/proc_reader.h"

namespace procevent {

class ProcScanner {
 public:
  ProcScanner(ProcReconciler& sightings, InputRecorder& teller, ProcPidReader proc)
      : sightings_(sightings), teller_(teller), proc_(std::move(proc)) {}

  // Whether /proc shows the processes of other users.
  [[nodiscard]] Status CheckVisibility() const { return proc_.CheckVisibility(); }

  // All at once. The subscription stands already, so that what begins meanwhile is heard of.
  void ScanAllProcesses();
  [[nodiscard]] bool scanned_all() const { return scanned_all_; }

  // One turn of work. Every event made before `heard_ns` has been booked, and the queue was empty just now.
  void RunScanStep(std::uint64_t heard_ns, std::uint64_t now_ns);

  // When there is work again, events or not.
  [[nodiscard]] std::uint64_t next_scan_ns() const;

 private:
  static constexpr std::uint64_t kStepInterval = 10 * kNanosPerMilli;
  static constexpr std::uint64_t kPassInterval = 10 * kNanosPerSecond;
  static constexpr std::size_t kProcessesInStep = 64;
  static constexpr std::size_t kRowsInStep = 4096;
  static constexpr std::size_t kNamesInTurn = 256;

  enum class Pass : std::uint8_t {
    kNone,
    kProcesses,  // those that /proc lists, for rows that are missing
    kRows,       // those in doubt
  };
  void LookForNames();
  void Look(const ProcReconciler::ProcRequest& question, bool asked);
  void StepThroughProcesses();
  void StepThroughRows();

  ProcReconciler& sightings_;
  InputRecorder& teller_;
  ProcPidReader proc_;
  bool scanned_all_ = false;
  Pass pass_ = Pass::kNone;
  bool wanted_ = false;
  RowId cursor_ = 0;
  std::uint64_t next_turn_ns_ = 0;
  std::uint64_t next_step_ns_ = 0;
  std::uint64_t next_pass_ns_ = 0;
};

}  // namespace procevent
