#include "core/reader/fork_audit.h"

#include <algorithm>

namespace procevent {

std::uint64_t ForkAudit::KernelForksSinceStart(std::uint64_t kernel_total, const ForkCounts& counted) {
  if (!base_) {
    base_ = kernel_total - counted.forks;
  }
  // More events than forks: the kernel counts a fork a moment before it queues the event. The events of some forks were
  // not yet queued when the base was read.
  if (kernel_total - *base_ < counted.forks) {
    base_ = kernel_total - counted.forks;
  }
  return kernel_total - *base_;
}

std::uint64_t ForkAudit::MissingForks(std::uint64_t kernel_forks, const ForkCounts& counted) const {
  const std::uint64_t explained = counted.forks + counted.lost + unseen_;
  return kernel_forks > explained ? kernel_forks - explained : 0;
}

std::uint64_t ForkAudit::CountUnseenForksAtCanary(std::uint64_t kernel_forks, const ForkCounts& counted,
                                                  std::uint64_t now_ns) {
  const std::uint64_t missing = MissingForks(kernel_forks, counted);
  missing_ = std::min(missing_, missing);
  std::uint64_t newly_unseen = 0;
  if (missing_ == 0 || now_ns - missing_since_ns_ >= kMaxForkDelay) {
    newly_unseen = missing_;
    unseen_ += newly_unseen;
    missing_ = missing - newly_unseen;
    missing_since_ns_ = now_ns;
  }
  const std::uint64_t explained = counted.forks + counted.lost + unseen_;
  lost_non_forks_ = std::min(explained > kernel_forks ? explained - kernel_forks : 0, counted.lost);
  return newly_unseen;
}

void ForkAudit::CountUnseenForks(std::uint64_t kernel_forks, const ForkCounts& counted) {
  unseen_ += MissingForks(kernel_forks + lost_non_forks_, counted);
  missing_ = 0;
}

Status ForkAuditor::CheckReadable() const {
  const auto total = stat_.ReadCloneCount();
  return total ? Status(Success{}) : Status(total.error());
}

std::optional<std::uint64_t> ForkAuditor::ReadKernelForks() {
  if (!processor_.loss_exact()) {
    return std::nullopt;
  }
  const auto total = stat_.ReadCloneCount();
  return total ? std::optional(audit_.KernelForksSinceStart(total.value(), counted())) : std::nullopt;
}

}  // namespace procevent
