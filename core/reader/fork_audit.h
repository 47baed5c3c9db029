// Checks fork events against the kernel's own count of forks.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/result.h"
#include "core/base/system.h"
#include "core/reader/input_processor.h"
#include "core/sources/procfs/proc_stats.h"

namespace procevent {

// Compares fork events with the kernel's count (/proc/stat), which includes forks whose events were lost or were made
// while unsubscribed. Invariant at every scrape: 0 <= kernel forks - fork events <= lost + unseen.
// Pure. Owned by ForkAuditor.
class ForkAudit {
 public:
  // Counts of the event stream at one moment.
  struct ForkCounts {
    std::uint64_t forks = 0;
    std::uint64_t lost = 0;  // events of any kind: some of them were forks
  };

  // How many forks the kernel has counted since the first call, which comes before the first subscription. `counted` is
  // older than `kernel_total`.
  std::uint64_t KernelForksSinceStart(std::uint64_t kernel_total, const ForkCounts& counted);

  // Forks that the kernel counted, and that neither an event nor a lost event nor an unseen fork accounts for.
  [[nodiscard]] std::uint64_t MissingForks(std::uint64_t kernel_forks, const ForkCounts& counted) const;

  // The canary came back, and the kernel counted `kernel_forks` before it was sent. A fork that was already missing at
  // a canary kMaxForkDelay or more before is unseen: it was made in a gap of the subscription that was too short for a
  // missing canary. A fork that is missing for a shorter time may only be late: its process may have lost its CPU
  // between the kernel's count and the event. Returns how many it counted as unseen.
  static constexpr std::uint64_t kMaxForkDelay = kNanosPerSecond;
  std::uint64_t CountUnseenForksAtCanary(std::uint64_t kernel_forks, const ForkCounts& counted, std::uint64_t now_ns);
  // There was no subscription since the last canary: every fork missing since then is unseen.
  void CountUnseenForks(std::uint64_t kernel_forks, const ForkCounts& counted);
  [[nodiscard]] std::uint64_t unseen_forks() const { return unseen_; }
  // Whether forks were missing at the last canary. One more canary, kMaxForkDelay later, decides about them.
  [[nodiscard]] bool awaits_late_forks() const { return missing_ > 0; }

 private:
  std::optional<std::uint64_t> base_;
  std::uint64_t unseen_ = 0;
  std::uint64_t missing_ = 0;           // forks that have been missing at every canary
  std::uint64_t missing_since_ns_ = 0;  // since this one
  std::uint64_t lost_non_forks_ = 0;    // up to the last canary: they account for no later fork
};

// Reads the kernel's fork count and audits the counted fork events against it. The reader owns it.
class ForkAuditor {
 public:
  // The processor must outlive it.
  ForkAuditor(ProcStatReader stat, const InputProcessor& processor) : stat_(std::move(stat)), processor_(processor) {}

  // Whether /proc/stat can be read. Without it forks are not audited.
  [[nodiscard]] Status CheckReadable() const;

  // Forks that the kernel has counted since the first call. Empty if /proc/stat cannot be read, or if the event mask is
  // narrowed: then lost events cannot be distinguished from events that the mask leaves out.
  std::optional<std::uint64_t> ReadKernelForks();

  [[nodiscard]] bool AnyMissing(std::uint64_t kernel_forks) const {
    return audit_.MissingForks(kernel_forks, counted()) > 0;
  }
  // See ForkAudit.
  std::uint64_t CountUnseenAtCanary(std::uint64_t kernel_forks, std::uint64_t now_ns) {
    return audit_.CountUnseenForksAtCanary(kernel_forks, counted(), now_ns);
  }
  [[nodiscard]] bool awaits_late_forks() const { return audit_.awaits_late_forks(); }
  void CountUnseen(std::uint64_t kernel_forks) { audit_.CountUnseenForks(kernel_forks, counted()); }
  [[nodiscard]] std::uint64_t unseen_forks() const { return audit_.unseen_forks(); }

 private:
  [[nodiscard]] ForkAudit::ForkCounts counted() const { return {processor_.forks(), processor_.lost()}; }

  ProcStatReader stat_;
  const InputProcessor& processor_;
  ForkAudit audit_;
};

}  // namespace procevent
