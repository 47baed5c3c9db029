#include "core/reader/scrape_answerer.h"

#include <utility>

#include "core/base/system.h"

namespace procevent {

void ScrapeAnswerer::UpdateRequest() {
  if (!exchange_.IsRequested()) {
    barrier_.reset();
  } else if (!barrier_ || barrier_->asked_ns() != exchange_.asked_ns()) {
    barrier_.emplace(exchange_.asked_ns());
    kernel_forks_.reset();
  }
}

void ScrapeAnswerer::Answer(std::uint64_t applied_until_ns) {
  if (!barrier_) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  ScrapeBarrier::Step step = NextStep(applied_until_ns, now);
  if (step == ScrapeBarrier::Step::kCountForks) {
    CountKernelForks(now);
    step = NextStep(applied_until_ns, now);
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

ScrapeBarrier::Step ScrapeAnswerer::NextStep(std::uint64_t applied_until_ns, std::uint64_t now_ns) {
  return barrier_->DecideStep({.applied_until_ns = applied_until_ns,
                               .probing_cpus = losses_.probing(),
                               .last_probe_end_ns = losses_.last_probe_end_ns(),
                               .losses_hidden = losses_.any_hidden_drops(),
                               .losses_visible_until_ns = processor_.losses_visible_until_ns(),
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

void ScrapeAnswerer::FillStatus(ReaderStatus& status, std::uint64_t now_ns) const {
  status.loss_exact = processor_.loss_exact();
  status.received_events = processor_.received();
  status.lost_events = processor_.lost();
  status.socket_drops = losses_.queue().drops;
  subscription_.FillStatus(status, now_ns);
}

void ScrapeAnswerer::FillSnapshot() {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t complete_until_ns = barrier_->complete_until_ns();
  const bool forks_missing = AnyForksMissing();
  const auto kernel_forks = std::exchange(kernel_forks_, std::nullopt);
  barrier_.reset();
  Snapshot* const snapshot = exchange_.BeginFill();
  if (snapshot == nullptr) {
    return;
  }
  losses_.FillSnapshot(*snapshot, now);
  snapshot->secondary_losses = secondary_.lost();
  snapshot->taken_unix_ms = ClockNanos(CLOCK_REALTIME) / kNanosPerMilli;
  snapshot->complete_until_ns = complete_until_ns;
  processor_.Advance(now);
  processor_.CopyTo(snapshot->numbers);
  FillStatus(*snapshot, now);
  snapshot->restarts = subscription_.restarts();
  snapshot->forks_unseen = forks_.unseen_forks();
  snapshot->forks_audited = kernel_forks.has_value();
  snapshot->kernel_forks = forks_missing ? std::nullopt : kernel_forks;
  snapshot->reader_cpu_ns = ClockNanos(CLOCK_THREAD_CPUTIME_ID);
  exchange_.FinishFill();
}

}  // namespace procevent
