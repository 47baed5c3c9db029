// FOLDED: reader_options.h, reader.h
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/base/thread.h"
#include "core/ledger/ledger.h"
#include "core/protocol/decoder.h"
#include "core/reader/drain_scheduler.h"
#include "core/reader/input_recorder.h"
#include "core/reader/notice_queue.h"
#include "core/reader/proc_scanner.h"
#include "core/reader/scrape_barrier.h"
#include "core/reader/snapshot_exchange.h"
#include "core/reader/subscription_monitor.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/datagram_source.h"
#include "core/sources/procfs/proc_reader.h"

namespace procevent {

// What the reader can be told. The configuration fills it in.

struct ReaderOptions {
  std::chrono::milliseconds drain_interval{10};     // between two drains while events flow
  std::chrono::milliseconds canary_interval{5000};  // between two proofs that the kernel still speaks to us
  bool operator==(const ReaderOptions&) const = default;
};

// The reader thread: owns the source and the ledger, drains the one into the other, watches over the subscription, and
// answers scrapes through the exchange. It takes no lock and waits for nobody, but for the disk or pipe
// where it records; while subscribed it allocates nothing, but at the first sight of a name and where it is given other
// name groups. cmd makes it, starts it, and stops it; scrapes see only its exchange, the log only its notices.

class Reader {
 public:
  // Throws std::runtime_error if the system has no descriptors left. What the ledger is told goes to `capture`, too, if
  // there is one; that is the reader's until it has stopped.
  Reader(std::unique_ptr<DatagramSource> source, const ReaderOptions& options, unsigned cpus, EventCoverage hearing,
         const LedgerOptions& ledger_options = {}, ProcFs proc = ProcFs(), CaptureWriter* capture = nullptr);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { Stop(); }

  // Starts the thread, which does `begin` before anything else; that throws nothing.
  void StartWithoutWaiting(std::function<void()> begin = {});
  // The same, and returns when the thread has tried to subscribe once; whether that went well is in the snapshots.
  void Start(std::function<void()> begin = {});
  // Ends the subscription and the thread, and waits for nobody who does not take what is recorded.
  void Stop();

  // When it has stopped: all that it counted.
  [[nodiscard]] LedgerSnapshot FinalLedgerSnapshot() const;

  // From any thread: names are booked by other rules from some moment on. Each rule must be right.
  void SetNameGroups(std::span<const NameGroup> groups) { groups_.Publish(std::make_unique<NameGroups>(groups)); }

  [[nodiscard]] SnapshotExchange& exchange() { return exchange_; }
  [[nodiscard]] NoticeQueue& notices() { return notices_; }

 private:
  void Run();

  // One turn of the loop.
  void HearOrders();
  void HearScrape();
  void Drain();
  void Survey();
  void Judge();
  void Answer();
  void Tend();
  void Wait();

  void LookAtQueue();
  void Book(std::uint64_t now_ns);
  void BookDatagram(std::span<const std::byte> bytes, std::uint64_t now_ns);
  void TellLosses(std::uint64_t now_ns);
  void HearCanary(std::uint64_t now_ns);

  void Subscribe();
  void ReportListening(std::uint64_t now_ns);
  void SoundCanary();
  void Distrust(RestartReason reason, const Error& cause);

  [[nodiscard]] ScrapeBarrier::Step NextStep(std::uint64_t now_ns);
  void CountForks(std::uint64_t now_ns);
  [[nodiscard]] bool ForksMissing() const;
  void FillSnapshot();

  std::optional<std::uint64_t> ForkGrowth();
  [[nodiscard]] bool MaySurvey() const;
  void CatchUp();
  [[nodiscard]] ForkAudit::ForkCounts ForkCounts() const { return {ledger_.forks(), ledger_.lost()}; }
  [[nodiscard]] std::uint64_t NextTurn(std::uint64_t now_ns) const;

  const std::unique_ptr<DatagramSource> source_;
  const EventCoverage hearing_;
  const unsigned cpus_;  // that there may be
  ProcFs proc_;
  Ledger ledger_;
  InputRecorder teller_;
  ProcScanner surveyor_;
  SubscriptionMonitor watch_;
  DrainScheduler rhythm_;
  UnsubscribedTime blind_;
  QueuePeak peak_;
  CpuProbe tour_;
  ForkAudit audit_;
  LossReportLimiter losses_;
  DatagramBatch batch_;
  Message message_;
  SnapshotExchange exchange_;
  NoticeQueue notices_;
  LatestValue<NameGroups> groups_;
  StoppableThread thread_;
  Poller waiter_;
  std::latch tried_{1};

  QueueState queue_;                 // as of the last look
  std::uint64_t doubted_drops_ = 0;  // those that the ledger knows of
  bool doubt_again_ = false;         // when the queue is empty
  bool emptied_ = false;             // the last drain left nothing behind
  std::uint64_t heard_ns_ = 0;       // when the last drain began: if it emptied the queue, all made before is booked
  bool bootstrapped_ = false;
  std::uint64_t attempts_ = 0;
  Error cause_;  // why nobody listens
  std::array<std::uint64_t, kRestartReasons> restarts_{};
  std::uint32_t buffer_told_ = 0;
  std::optional<std::uint64_t> growth_at_sound_;
  std::optional<ScrapeBarrier> cut_;  // a scrape that waits to be answered
  std::optional<std::uint64_t> growth_at_cut_;
};

}  // namespace procevent
