#include "core/reader/scrape_barrier.h"

#include <algorithm>

namespace procevent {

std::uint64_t ForkAudit::KernelForksSinceStart(std::uint64_t kernel_forks, const ForkCounts& booked) {
  if (!base_) {
    base_ = kernel_forks - booked.forks;
  }
  // More events than forks: the kernel counts a fork a moment before it queues the event, and some were in between
  // when the count began.
  if (kernel_forks - *base_ < booked.forks) {
    base_ = kernel_forks - booked.forks;
  }
  return kernel_forks - *base_;
}

std::uint64_t ForkAudit::MissingForks(std::uint64_t growth, const ForkCounts& booked) const {
  const std::uint64_t explained = booked.forks + booked.lost + unseen_;
  return growth > explained ? growth - explained : 0;
}

std::uint64_t ForkAudit::CountUnseenForksAtCanary(std::uint64_t growth, const ForkCounts& booked) {
  const std::uint64_t missing = MissingForks(growth, booked);
  const std::uint64_t settled = std::min(missing, missing_before_);
  unseen_ += settled;
  missing_before_ = missing - settled;
  const std::uint64_t explained = booked.forks + booked.lost + unseen_;
  slack_ = std::min(explained > growth ? explained - growth : 0, booked.lost);
  return settled;
}

void ForkAudit::CountUnseenForks(std::uint64_t growth, const ForkCounts& booked) {
  unseen_ += MissingForks(growth + slack_, booked);
  missing_before_ = 0;
}

ScrapeBarrier::Step ScrapeBarrier::DecideStep(const Conditions& situation, std::uint64_t now_ns) {
  const bool late = now_ns - since_ns_ >= kLongest;
  if (!late && (!situation.queue_empty || situation.probing_cpus)) {
    return Step::kWait;
  }
  if (!late && !toured_ && situation.losses_hidden) {
    toured_ = true;
    return Step::kProbeCpus;
  }
  if (!counted_ns_) {
    return Step::kCountForks;
  }
  const std::uint64_t waited = now_ns - *counted_ns_;
  if (late || !situation.forks_missing || waited >= kLongestForForks) {
    return Step::kFillSnapshot;
  }
  if (doubts_ < kDoubtsAfter.size() && waited >= kDoubtsAfter.at(doubts_)) {
    ++doubts_;
    return Step::kSendCanary;
  }
  return Step::kWait;
}

}  // namespace procevent
