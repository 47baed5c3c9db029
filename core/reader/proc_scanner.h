// Reads /proc for the tracker: at the start, for missing names, and after a loss.
#pragma once

#include <cstdint>
#include <utility>

#include "core/base/system.h"
#include "core/reader/input_recorder.h"
#include "core/sources/procfs/proc_reader.h"
#include "core/tracker/proc_reconciler.h"

namespace procevent {

// Reads /proc at three occasions:
//   - at the first subscription: all processes,
//   - when the queue is empty: processes whose names are missing,
//   - after a loss: stale processes, a few at a time.
// Every snapshot goes to the tracker's ProcReconciler, which decides whether to apply it. The reader owns it;
// everything it refers to must outlive it.
class ProcScanner {
 public:
  ProcScanner(ProcReconciler& reconciler, InputRecorder& inputs, ProcPidReader proc, std::uint64_t pass_interval_ns)
      : reconciler_(reconciler), inputs_(inputs), proc_(std::move(proc)), pass_interval_ns_(pass_interval_ns) {}

  // Whether /proc shows the processes of other users.
  [[nodiscard]] Status CheckVisibility() const { return proc_.CheckVisibility(); }

  // Reads all processes at once. The caller has subscribed before, so that processes that start meanwhile have events.
  void ScanAllProcesses();
  [[nodiscard]] bool scanned_all() const { return scanned_all_; }

  // One bounded step of work. Every event made before `applied_until_ns` has been applied, and the queue was just
  // empty.
  void RunScanStep(std::uint64_t applied_until_ns, std::uint64_t now_ns);

  // When the next step is due, if no event comes before.
  [[nodiscard]] std::uint64_t next_scan_ns() const;

 private:
  static constexpr std::uint64_t kStepInterval = 10 * kNanosPerMilli;
  static constexpr std::size_t kProcessesPerStep = 64;
  static constexpr std::size_t kRowsPerStep = 4096;
  static constexpr std::size_t kNamesPerStep = 256;

  enum class Pass : std::uint8_t {
    kNone,
    kProcesses,  // reads the processes that /proc lists and the process table does not have
    kRows,       // reads again the processes whose rows are stale
  };
  void ReadRequestedProcesses();
  void ReadListedProcesses();
  void ReadStaleProcesses();
  // `requested`: the reconciler asked for it; otherwise it is part of a pass.
  void ReadProcess(const ProcReconciler::ProcRequest& request, bool requested);

  ProcReconciler& reconciler_;
  InputRecorder& inputs_;
  ProcPidReader proc_;
  const std::uint64_t pass_interval_ns_;
  bool scanned_all_ = false;
  Pass pass_ = Pass::kNone;
  bool pass_wanted_ = false;
  RowId next_row_ = 0;
  std::uint64_t next_scan_ns_ = 0;
  std::uint64_t next_step_ns_ = 0;
  std::uint64_t next_pass_ns_ = 0;
};

}  // namespace procevent
