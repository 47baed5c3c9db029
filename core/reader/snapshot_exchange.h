// Passes snapshots of the reader's numbers to scrapes without a lock.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/base/seqlock.h"
#include "core/reader/numbers.h"
#include "core/reader/reader_status.h"
#include "core/reader/subscription_monitor.h"

namespace procevent {

// Everything that a scrape exposes about the reader, at one moment. The reader fills it, the exporter reads it.
struct Snapshot : ReaderStatus {
  explicit Snapshot(unsigned cpus = 0, const CountingOptions& options = {}) : numbers(cpus, options) {}

  std::uint64_t taken_unix_ms = 0;      // CLOCK_REALTIME
  std::uint64_t complete_until_ns = 0;  // CLOCK_MONOTONIC: complete for a scrape that asked until then; 0: never filled
  Numbers numbers;

  std::array<std::uint64_t, kRestartReasons> restarts{};
  bool forks_audited = false;  // /proc/stat is readable, and the event mask is not narrowed
  std::uint64_t forks_unseen = 0;
  // Counted by /proc/stat since start. Empty without an audit, and while the event of a counted fork is still to come.
  std::optional<std::uint64_t> kernel_forks;

  std::uint32_t queue_peak_bytes = 0;  // highest usage in the last minute
  std::uint32_t queue_limit_bytes = 0;
  std::uint64_t secondary_losses = 0;  // messages that secondary sources lost
  std::uint64_t reader_cpu_ns = 0;
};

// The shared state of a SnapshotExchange. Every step is one compare-and-swap or store; each has one caller and one
// phase it may start from.
class SnapshotExchangeState {
 public:
  enum class Phase : std::uint8_t { kIdle, kRequested, kFilling, kFilled };

  // Scrapers, one at a time:
  [[nodiscard]] bool TryRequest() { return Step(Phase::kIdle, Phase::kRequested); }
  // False if the reader has begun to fill.
  [[nodiscard]] bool CancelRequest() { return Step(Phase::kRequested, Phase::kIdle); }
  // False if there is no answer yet.
  [[nodiscard]] bool AcceptAnswer() { return Step(Phase::kFilled, Phase::kIdle); }
  // The reader:
  [[nodiscard]] bool IsRequested() const { return phase() == Phase::kRequested; }
  // False if the request was cancelled.
  [[nodiscard]] bool BeginFill() { return Step(Phase::kRequested, Phase::kFilling); }
  void FinishFill() { phase_.store(Phase::kFilled, std::memory_order_release); }

  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] bool Step(Phase from, Phase to) {
    return phase_.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
  }
  std::atomic<Phase> phase_{Phase::kIdle};
};

// Passes snapshots from the reader to scrapes without a lock between them: two snapshots and one atomic state. The
// reader fills one snapshot while scrapes may read the other. Scrapes queue among themselves. An answer serves every
// scrape that asked until Snapshot::complete_until_ns, also one that asked after the answer was requested. The reader's
// calls never wait.
class SnapshotExchange {
 public:
  enum class Freshness : std::uint8_t {
    kFresh,  // complete up to the moment the scraper asked
    kStale,  // the last complete one: the reader did not answer in time
    kNone,   // there is none: the reader has never answered
  };

  // `blank` has the size of every snapshot, until the group table grows. Throws FatalError if the system has no
  // descriptors left.
  explicit SnapshotExchange(const Snapshot& blank);

  // From any number of scraping threads at once: calls `visitor` with a snapshot, if there is one. The scraper asked at
  // `asked_ns` (CLOCK_MONOTONIC, not in the future), and `timeout` counts from then. Other scrapes wait meanwhile.
  using SnapshotVisitor = std::function<void(const Snapshot&, Freshness)>;
  Freshness VisitSnapshot(std::uint64_t asked_ns, std::chrono::milliseconds timeout, const SnapshotVisitor& visitor);
  // The same, asked now: copies the snapshot to `out`.
  Freshness CopySnapshot(Snapshot& out, std::chrono::milliseconds timeout);

  // From any thread: the status published last.
  [[nodiscard]] ReaderStatus status() const { return status_.Load(); }
  // Wakes the reader, and waits until it has published a status since this call. Returns false after `timeout`.
  [[nodiscard]] bool AwaitStatus(std::chrono::milliseconds timeout) const;

  // The reader only. request_fd() becomes readable when a scrape requests a snapshot.
  [[nodiscard]] int request_fd() const { return request_signal_.fd(); }
  void ClearRequestSignal() const { request_signal_.Clear(); }
  [[nodiscard]] bool IsRequested() const { return state_.IsRequested(); }
  // When the scraper asked that made the request.
  [[nodiscard]] std::uint64_t asked_ns() const { return asked_ns_.load(std::memory_order_relaxed); }
  // The snapshot to fill, or nullptr if there is no request, or it was cancelled. After filling it: FinishFill.
  [[nodiscard]] Snapshot* BeginFill();
  void FinishFill();
  void PublishStatus(const ReaderStatus& status) { status_.Store(status); }

 private:
  void RequestAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t asked_ns, std::uint64_t deadline_ns);
  void CollectAnswer();
  [[nodiscard]] const Snapshot& complete() const { return snapshots_[complete_]; }

  SnapshotExchangeState state_;
  std::atomic<std::uint64_t> asked_ns_{0};  // of the current request; set before state_ becomes kRequested
  Seqlock<ReaderStatus> status_;
  EventFd request_signal_;
  EventFd answer_signal_;
  std::mutex scrapers_;                   // guards the members below, and the scrapers' steps of state_
  std::condition_variable scraper_done_;  // the scrape that requested has its answer, or gave up
  bool requesting_ = false;               // one scrape waits for the reader
  std::array<Snapshot, 2> snapshots_;
  unsigned complete_ = 0;  // the last complete snapshot; between BeginFill and FinishFill the other is the reader's
};

}  // namespace procevent
