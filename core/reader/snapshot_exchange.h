// FOLDED: snapshot.h, exchange.h
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
#include "core/ledger/ledger_snapshot.h"

namespace procevent {

// Everything a scrape may say about the reader, at one moment: filled by the reader, read by the exporter.

// Why a fresh socket was opened.
enum class RestartReason : std::uint8_t {
  kNoAck,          // the subscription was not proved
  kCanaryMissing,  // the canary did not come back
  kSocketFailed,   // the socket failed
};
inline constexpr std::size_t kRestartReasons = 3;
inline constexpr std::array<std::string_view, kRestartReasons> kRestartReasonNames{"no_ack", "silence", "fault"};

struct Snapshot {
  explicit Snapshot(unsigned cpus = 0, const LedgerOptions& options = {}) : ledger(cpus, options) {}

  std::uint64_t taken_ns = 0;  // CLOCK_MONOTONIC; 0: never filled
  bool loss_exact = true;      // false with a narrowed mask: only socket_drops tells of losses

  LedgerSnapshot ledger;

  bool replayed = false;     // all this is of a capture, and not of this machine
  bool subscribed = false;   // subscribed, and the canary answers; or the capture is whole
  Error subscription_error;  // why not, while not listening
  std::array<std::uint64_t, kRestartReasons> restarts{};
  std::uint64_t unsubscribed_ns = 0;
  std::uint64_t forks_unseen = 0;
  std::optional<std::uint64_t> kernel_forks;  // growth of /proc/stat `processes` since start; not with a narrowed mask

  std::uint64_t socket_drops = 0;
  std::uint32_t queue_peak_bytes = 0;  // the fullest of the last minute
  std::uint32_t queue_limit_bytes = 0;
  std::uint64_t reader_cpu_ns = 0;
};

// How a scrape gets the reader's numbers without a lock between them: two snapshots and one atomic state. The reader
// fills one snapshot while scrapers may read the other; scrapers queue among themselves and share an answer that was
// taken after they asked. The reader's calls never wait.

// The one atomic. Every step is one compare-and-swap or store; each has one caller and one state it may start from.
class SnapshotExchangeState {
 public:
  enum class Phase : std::uint8_t { kIdle, kRequested, kFilling, kFilled };

  // Scrapers, one at a time:
  [[nodiscard]] bool TryRequest();     // idle -> asked
  [[nodiscard]] bool CancelRequest();  // asked -> idle; false if the reader began
  [[nodiscard]] bool AcceptAnswer();   // filled -> idle; false if there is no answer yet
  // The reader:
  [[nodiscard]] bool IsRequested() const;
  [[nodiscard]] bool BeginFill();  // asked -> filling; false if it was taken back
  void FinishFill();               // filling -> filled

  [[nodiscard]] Phase phase() const { return stage_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] bool Step(Phase from, Phase to);
  std::atomic<Phase> stage_{Phase::kIdle};
};

class SnapshotExchange {
 public:
  enum class Freshness : std::uint8_t {
    kFresh,  // taken after the scrape asked
    kStale,  // the last whole one: the reader did not answer in time
    kNone,   // there is none: the reader has never answered
  };

  // `blank` is as large as all that will be filled in. Throws std::runtime_error if there is no eventfd to be had.
  explicit SnapshotExchange(const Snapshot& blank);

  // Any scraping thread, any number at once: copies a snapshot to `out`.
  Freshness CopySnapshot(Snapshot& out, std::chrono::milliseconds timeout);
  // The same, for those who need little of it: `look` sees it in its place, if there is one, and must be brief.
  using SnapshotVisitor = std::function<void(const Snapshot&, Freshness)>;
  Freshness VisitSnapshot(std::chrono::milliseconds timeout, const SnapshotVisitor& look);

  // The reader only. asked_fd() becomes readable when somebody asks.
  [[nodiscard]] int request_fd() const { return asked_.fd(); }
  void ClearRequestSignal() const { asked_.Clear(); }
  [[nodiscard]] bool IsRequested() const { return state_.IsRequested(); }
  // The snapshot to fill, or nullptr if nobody asks (any more). After filling it: Finish.
  [[nodiscard]] Snapshot* BeginFill();
  void FinishFill();

 private:
  void AskAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t arrived,
                  std::chrono::steady_clock::time_point deadline);
  void CollectAnswer();
  [[nodiscard]] const Snapshot& whole() const { return snapshots_[whole_]; }

  SnapshotExchangeState state_;
  EventFd asked_;
  EventFd answered_;
  std::mutex scrapers_;                   // what follows is the scrapers', and so is their side of state_
  std::condition_variable scraper_done_;  // one that asked the reader has its answer, or gave up
  bool asking_ = false;
  std::array<Snapshot, 2> snapshots_;
  unsigned whole_ = 0;  // the last whole snapshot; between Begin and Finish the other is the reader's
};

}  // namespace procevent
