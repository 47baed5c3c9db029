#include "core/reader/scrape_answerer.h"

#include <utility>

#include "core/base/system.h"

namespace procevent {

void ScrapeAnswerer::UpdateRequest() {
  if (!exchange_.IsRequested()) {
    barrier_.reset();
  } else if (!barrier_) {
    barrier_.emplace(MonotonicNanos());
    kernel_forks_.reset();
  }
}

void ScrapeAnswerer::Answer(bool queue_empty) {
  if (!barrier_) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  ScrapeBarrier::Step step = NextStep(queue_empty, now);
  if (step == ScrapeBarrier::Step::kCountForks) {
    CountKernelForks(now);
    step = NextStep(queue_empty, now);
  }
  switch (step) {
    case ScrapeBarrier::Step::kFillSnapshot:
      FillSnapshot();
      return;
    case ScrapeBarrier::Step::kProbeCpus:
      losses_.StartProbe(now);
      return;
    case ScrapeBarrier::Step::kSendCanary:
      subscription_.RequestCanary(now);
      return;
    case ScrapeBarrier::Step::kCountForks:
    case ScrapeBarrier::Step::kWait:
      return;
  }
}

ScrapeBarrier::Step ScrapeAnswerer::NextStep(bool queue_empty, std::uint64_t now_ns) {
  return barrier_->DecideStep({.queue_empty = queue_empty,
                               .probing_cpus = losses_.probing(),
                               .losses_hidden = losses_.any_hidden_drops(),
                               .forks_missing = AnyForksMissing()},
                              now_ns);
}

void ScrapeAnswerer::CountKernelForks(std::uint64_t now_ns) {
  barrier_->MarkForksCounted(now_ns);
  kernel_forks_ = forks_.ReadKernelForks();
  if (kernel_forks_ && !subscription_.subscribed()) {
    forks_.CountUnseen(*kernel_forks_);
  }
}

bool ScrapeAnswerer::AnyForksMissing() const { return kernel_forks_ && forks_.AnyMissing(*kernel_forks_); }

void ScrapeAnswerer::FillSnapshot() {
  const std::uint64_t requested_ns = barrier_->requested_ns();
  const auto kernel_forks = std::exchange(kernel_forks_, std::nullopt);
  barrier_.reset();
  Snapshot* const snapshot = exchange_.BeginFill();
  if (snapshot == nullptr) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  losses_.FillSnapshot(*snapshot, now);
  snapshot->taken_ns = requested_ns;
  snapshot->loss_exact = coverage_ == EventCoverage::kAll;
  ledger_.Advance(now);
  ledger_.CopyTo(snapshot->ledger);
  subscription_.FillSnapshot(*snapshot, now);
  snapshot->forks_unseen = forks_.unseen_forks();
  snapshot->kernel_forks = kernel_forks;
  snapshot->reader_cpu_ns = ClockNanos(CLOCK_THREAD_CPUTIME_ID);
  exchange_.FinishFill();
}

}  // namespace procevent
