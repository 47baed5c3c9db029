// Decides when a scrape can be answered with numbers that are complete up to the request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/system.h"

namespace procevent {

// A scrape is answered when three conditions hold:
//  1. every event that was queued before the request has been applied;
//  2. every drop before the request shows as lost (CpuProbe);
//  3. every fork that the kernel has counted is accounted for. The kernel counts a fork before it queues its event.
// On an overloaded machine each of these may never hold. The barrier waits for a bounded time, and then the snapshot
// is filled with what there is.
// Pure: decides the next step. ScrapeAnswerer owns one per request and takes the step.
class ScrapeBarrier {
 public:
  explicit ScrapeBarrier(std::uint64_t requested_ns) : requested_ns_(requested_ns) {}

  enum class Step : std::uint8_t {
    kWait,          // drain, and ask again
    kProbeCpus,     // make hidden losses visible
    kCountForks,    // read the kernel's fork count; then MarkForksCounted
    kSendCanary,    // the subscription may be lost: prove it now
    kFillSnapshot,  // answer
  };
  struct Conditions {
    bool queue_empty = false;    // after the last drain
    bool probing_cpus = false;   // a CPU probe is in progress
    bool losses_hidden = false;  // there were drops since the last CPU probe
    bool forks_missing = false;  // ignored before MarkForksCounted
  };
  [[nodiscard]] Step DecideStep(const Conditions& conditions, std::uint64_t now_ns);
  void MarkForksCounted(std::uint64_t now_ns) { forks_counted_ns_ = now_ns; }

  // Everything queued before this time is in the answer.
  [[nodiscard]] std::uint64_t requested_ns() const { return requested_ns_; }
  [[nodiscard]] bool forks_counted() const { return forks_counted_ns_.has_value(); }

 private:
  static constexpr std::uint64_t kMaxWait = 500 * kNanosPerMilli;
  static constexpr std::uint64_t kMaxWaitForForks = 200 * kNanosPerMilli;
  // After waiting so long for forks, a canary is sent. The second one distinguishes forks that were made without a
  // subscription from forks that are late.
  static constexpr std::array kCanariesAfter{20 * kNanosPerMilli, 100 * kNanosPerMilli};

  std::uint64_t requested_ns_;
  std::optional<std::uint64_t> forks_counted_ns_;
  bool probed_ = false;
  std::size_t canaries_ = 0;
};

inline ScrapeBarrier::Step ScrapeBarrier::DecideStep(const Conditions& conditions, std::uint64_t now_ns) {
  const bool late = now_ns - requested_ns_ >= kMaxWait;
  if (!late && (!conditions.queue_empty || conditions.probing_cpus)) {
    return Step::kWait;
  }
  if (!late && !probed_ && conditions.losses_hidden) {
    probed_ = true;
    return Step::kProbeCpus;
  }
  if (!forks_counted_ns_) {
    return Step::kCountForks;
  }
  const std::uint64_t waited = now_ns - *forks_counted_ns_;
  if (late || !conditions.forks_missing || waited >= kMaxWaitForForks) {
    return Step::kFillSnapshot;
  }
  if (canaries_ < kCanariesAfter.size() && waited >= kCanariesAfter.at(canaries_)) {
    ++canaries_;
    return Step::kSendCanary;
  }
  return Step::kWait;
}

}  // namespace procevent
