// How the reader answers a scrape: when it is ripe, and with what.
#include <utility>

#include "core/base/system.h"
#include "core/reader/reader.h"

namespace procevent {

void Reader::HearScrape() {
  if (!exchange_.IsRequested()) {
    cut_.reset();
  } else if (!cut_) {
    cut_.emplace(MonotonicNanos());
    growth_at_cut_.reset();
  }
}

void Reader::Answer() {
  if (!cut_) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  ScrapeBarrier::Step step = NextStep(now);
  if (step == ScrapeBarrier::Step::kCountForks) {
    CountForks(now);
    step = NextStep(now);
  }
  switch (step) {
    case ScrapeBarrier::Step::kFillSnapshot:
      FillSnapshot();
      return;
    case ScrapeBarrier::Step::kProbeCpus:
      tour_.Start(queue_.drops, now);
      return;
    case ScrapeBarrier::Step::kSendCanary:
      watch_.RequestCanary(now);
      return;
    case ScrapeBarrier::Step::kCountForks:
    case ScrapeBarrier::Step::kWait:
      return;
  }
}

ScrapeBarrier::Step Reader::NextStep(std::uint64_t now_ns) {
  return cut_->DecideStep({.queue_empty = emptied_,
                           .probing_cpus = tour_.in_progress(),
                           .losses_hidden = tour_.HasHiddenDrops(queue_.drops),
                           .forks_missing = ForksMissing()},
                          now_ns);
}

void Reader::CountForks(std::uint64_t now_ns) {
  cut_->MarkForksCounted(now_ns);
  growth_at_cut_ = ForkGrowth();
  if (growth_at_cut_ && !watch_.subscribed()) {
    audit_.CountUnseenForks(*growth_at_cut_, ForkCounts());
  }
}

bool Reader::ForksMissing() const { return growth_at_cut_ && audit_.MissingForks(*growth_at_cut_, ForkCounts()) > 0; }

void Reader::FillSnapshot() {
  const std::uint64_t since = cut_->requested_ns();
  const auto growth = std::exchange(growth_at_cut_, std::nullopt);
  cut_.reset();
  Snapshot* const snapshot = exchange_.BeginFill();
  if (snapshot == nullptr) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  queue_ = source_->Queue();
  snapshot->taken_ns = since;
  snapshot->loss_exact = hearing_ == EventCoverage::kAll;
  ledger_.Advance(now);
  ledger_.CopyTo(snapshot->ledger);
  snapshot->subscribed = watch_.subscribed();
  snapshot->subscription_error = cause_;
  snapshot->restarts = restarts_;
  snapshot->unsubscribed_ns = blind_.TotalNanos(now);
  snapshot->forks_unseen = audit_.unseen_forks();
  snapshot->kernel_forks = growth;
  snapshot->socket_drops = queue_.drops;
  snapshot->queue_peak_bytes = peak_.PeakBytes(now);
  snapshot->queue_limit_bytes = queue_.limit_bytes;
  snapshot->reader_cpu_ns = ClockNanos(CLOCK_THREAD_CPUTIME_ID);
  exchange_.FinishFill();
}

LedgerSnapshot Reader::FinalLedgerSnapshot() const {
  LedgerSnapshot numbers(cpus_);
  ledger_.CopyTo(numbers);
  return numbers;
}

std::optional<std::uint64_t> Reader::ForkGrowth() {
  if (hearing_ != EventCoverage::kAll) {
    return std::nullopt;  // with a narrowed mask nobody can tell what was lost from what was left out
  }
  const auto forks = proc_.stat.ReadCloneCount();
  return forks ? std::optional(audit_.KernelForksSinceStart(forks.value(), ForkCounts())) : std::nullopt;
}

}  // namespace procevent
