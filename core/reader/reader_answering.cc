// How the reader answers a scrape: when it is ripe, and with what.
#include <utility>

#include "core/base/system.h"
#include "core/reader/reader.h"

namespace procevent {

void Reader::HearScrape() {
  if (!exchange_.Asked()) {
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
  Cut::Step step = NextStep(now);
  if (step == Cut::Step::kCountForks) {
    CountForks(now);
    step = NextStep(now);
  }
  switch (step) {
    case Cut::Step::kAnswer:
      FillSnapshot();
      return;
    case Cut::Step::kTour:
      tour_.Begin(queue_.drops, now);
      return;
    case Cut::Step::kDoubt:
      watch_.Hurry(now);
      return;
    case Cut::Step::kCountForks:
    case Cut::Step::kWait:
      return;
  }
}

Cut::Step Reader::NextStep(std::uint64_t now_ns) {
  return cut_->Next({.emptied = emptied_,
                     .touring = tour_.under_way(),
                     .losses_hidden = tour_.Hides(queue_.drops),
                     .forks_missing = ForksMissing()},
                    now_ns);
}

void Reader::CountForks(std::uint64_t now_ns) {
  cut_->NoteCounted(now_ns);
  growth_at_cut_ = ForkGrowth();
  if (growth_at_cut_ && !watch_.listening()) {
    audit_.CountUnseen(*growth_at_cut_, Booked());
  }
}

bool Reader::ForksMissing() const { return growth_at_cut_ && audit_.Missing(*growth_at_cut_, Booked()) > 0; }

void Reader::FillSnapshot() {
  const std::uint64_t since = cut_->since_ns();
  const auto growth = std::exchange(growth_at_cut_, std::nullopt);
  cut_.reset();
  Snapshot* const snapshot = exchange_.Begin();
  if (snapshot == nullptr) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  queue_ = source_->Queue();
  snapshot->taken_ns = since;
  snapshot->loss_exact = hearing_ == Hearing::kAll;
  ledger_.Advance(now);
  ledger_.CopyTo(snapshot->numbers);
  snapshot->listening = watch_.listening();
  snapshot->cause = cause_;
  snapshot->restarts = restarts_;
  snapshot->blind_ns = blind_.Total(now);
  snapshot->forks_unseen = audit_.unseen();
  snapshot->kernel_forks = growth;
  snapshot->socket_drops = queue_.drops;
  snapshot->queue_peak_bytes = peak_.Peak(now);
  snapshot->queue_limit_bytes = queue_.limit_bytes;
  snapshot->reader_cpu_ns = NanosOf(CLOCK_THREAD_CPUTIME_ID);
  exchange_.Finish();
}

Numbers Reader::Counted() const {
  Numbers numbers(cpus_);
  ledger_.CopyTo(numbers);
  return numbers;
}

std::optional<std::uint64_t> Reader::ForkGrowth() {
  if (hearing_ != Hearing::kAll) {
    return std::nullopt;  // with a narrowed mask nobody can tell what was lost from what was left out
  }
  const auto forks = proc_.stat.Forks();
  return forks ? std::optional(audit_.Growth(forks.value(), Booked())) : std::nullopt;
}

}  // namespace procevent
