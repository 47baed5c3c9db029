// Answers scrapes: waits until the numbers are complete up to the request, then fills the snapshot.
#pragma once

#include <cstdint>
#include <optional>

#include "core/reader/fork_audit.h"
#include "core/reader/input_processor.h"
#include "core/reader/loss_tracker.h"
#include "core/reader/scrape_barrier.h"
#include "core/reader/secondary_sources.h"
#include "core/reader/snapshot_exchange.h"
#include "core/reader/subscription_keeper.h"

namespace procevent {

// Does what ScrapeBarrier decides. The reader owns it; everything it refers to must outlive it.
class ScrapeAnswerer {
 public:
  // `blank` has the size of every snapshot. Throws FatalError if the system has no descriptors left.
  ScrapeAnswerer(const Snapshot& blank, InputProcessor& processor, LossTracker& losses,
                 const SecondarySources& secondary, SubscriptionKeeper& subscription, ForkAuditor& forks)
      : exchange_(blank),
        processor_(processor),
        losses_(losses),
        secondary_(secondary),
        subscription_(subscription),
        forks_(forks) {}

  [[nodiscard]] SnapshotExchange& exchange() { return exchange_; }
  [[nodiscard]] const SnapshotExchange& exchange() const { return exchange_; }

  // The state now, without the times of its publication.
  void FillStatus(ReaderStatus& status, std::uint64_t now_ns) const;

  // Before each drain: accepts a new request, and forgets one whose scraper gave up.
  void UpdateRequest();
  [[nodiscard]] bool has_request() const { return barrier_.has_value(); }
  // After each drain, up to which every queued event has been applied: takes the next step towards the answer.
  void Answer(std::uint64_t applied_until_ns);

  // For each event applied; on the reader's hot path. Fills the snapshot at the very event that accounts for the last
  // fork the kernel had counted, so that fork events and the kernel's count agree in it.
  void OnEventApplied() {
    if (barrier_ && barrier_->forks_counted() && !AnyForksMissing()) {
      FillSnapshot();
    }
  }

 private:
  [[nodiscard]] ScrapeBarrier::Step NextStep(std::uint64_t applied_until_ns, std::uint64_t now_ns);
  void CountKernelForks(std::uint64_t now_ns);
  [[nodiscard]] bool AnyForksMissing() const;
  void FillSnapshot();

  SnapshotExchange exchange_;
  InputProcessor& processor_;
  LossTracker& losses_;
  const SecondarySources& secondary_;
  SubscriptionKeeper& subscription_;
  ForkAuditor& forks_;
  std::optional<ScrapeBarrier> barrier_;       // of the scrape that waits for an answer
  std::optional<std::uint64_t> kernel_forks_;  // counted for that scrape
};

}  // namespace procevent
