// The reader thread: drains the sources into the processor, keeps the subscription and answers scrapes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/base/thread.h"
#include "core/reader/drain_scheduler.h"
#include "core/reader/event_drain.h"
#include "core/reader/fork_audit.h"
#include "core/reader/input_processor.h"
#include "core/reader/input_recorder.h"
#include "core/reader/loss_tracker.h"
#include "core/reader/notice_queue.h"
#include "core/reader/proc_scanner.h"
#include "core/reader/reader_sources.h"
#include "core/reader/scrape_answerer.h"
#include "core/reader/secondary_sources.h"
#include "core/reader/snapshot_exchange.h"
#include "core/reader/subscription_keeper.h"
#include "core/sources/procfs/proc_reader.h"

namespace procevent {

// Options of the reader. The configuration sets the first two; only tests shorten `proc_pass_interval`.
struct ReaderOptions {
  std::chrono::milliseconds drain_interval{10};          // between two drains while events flow
  std::chrono::milliseconds canary_interval{5000};       // between two proofs of the subscription
  std::chrono::milliseconds proc_pass_interval{10'000};  // between two passes over /proc after losses
  bool operator==(const ReaderOptions&) const = default;
};

// Runs the reader thread, and owns the parts that do its work:
//
//   sources -> EventDrain -> InputRecorder -> InputProcessor   receive, record, apply
//              SecondarySources    inputs that explain events
//              LossTracker         drops, CPU probes, loss reports
//              SubscriptionKeeper  subscribe, canary, resubscribe
//              ForkAuditor         audit against the kernel's fork count
//              ProcScanner         /proc, where names or processes are missing
//   InputProcessor -> ScrapeAnswerer                           snapshots for scrapes
//
// The thread takes no lock. Only the disk or pipe that it records to can block it. While subscribed it allocates only
// at the first occurrence of a name, when it applies reloaded options, and when it first fills each snapshot after the
// group limit rose. An exception (no memory) ends the thread, with the notice kThreadFailed, and Stop ends the
// subscription. cmd creates, starts and stops the reader. Scrapes use only its exchange, the log only its notices.
class Reader {
 public:
  // Throws FatalError if the system has no descriptors left. If `capture` is not null, every input
  // is also written to it; the reader uses it until it has stopped.
  Reader(ReaderSources sources, const ReaderOptions& options, unsigned cpus, EventCoverage coverage,
         const CountingOptions& counting_options = {}, ProcFs proc = ProcFs(), CaptureWriter* capture = nullptr);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { Stop(); }

  // Starts the thread, which calls `begin` before anything else. `begin` must not throw.
  void StartWithoutWaiting(std::function<void()> begin = {});
  // The same, and returns when the thread has tried to subscribe once. The snapshots say whether it succeeded.
  void Start(std::function<void()> begin = {});
  // Ends the subscription and the thread. Does not wait for a pipe that its reader does not empty.
  void Stop();

  // After Stop: everything that was counted.
  [[nodiscard]] Numbers FinalNumbers() const;

  // From any thread: publishes the options that a reload changes (ReloadedOptions). The thread applies the latest ones
  // before its next drain.
  void Reload(const CountingOptions& options) { reloaded_.Publish(std::make_unique<ReloadedOptions>(options)); }

  [[nodiscard]] SnapshotExchange& exchange() { return answerer_.exchange(); }
  [[nodiscard]] NoticeQueue& notices() { return notices_; }

 private:
  void RunUntilStopped();
  void Run();
  void CheckProc();
  void ApplyReload();
  [[nodiscard]] bool MayScanProc() const;
  void RunDueAction();
  void Subscribe();
  void RecoverMissedProcesses();
  void MarkAttempted();
  std::uint64_t PublishStatus();  // returns when the next one is due
  void WaitUntil(std::uint64_t due_ns);
  [[nodiscard]] std::uint64_t NextWakeNanos(std::uint64_t now_ns) const;

  const std::unique_ptr<EventSource> source_;
  InputProcessor processor_;
  NoticeQueue notices_;
  InputRecorder inputs_;
  SecondarySources secondary_;
  ProcScanner scanner_;
  ForkAuditor forks_;
  LossTracker losses_;
  SubscriptionKeeper subscription_;
  ScrapeAnswerer answerer_;
  EventDrain drain_;
  LatestValue<ReloadedOptions> reloaded_;
  StoppableThread thread_;
  Poller poller_;
  std::vector<int> wake_fds_;    // for WaitUntil
  std::latch first_attempt_{1};  // to subscribe
  bool attempted_ = false;
};

}  // namespace procevent
