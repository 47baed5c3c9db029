// Decides when a scrape can be answered with numbers that are complete up to its request.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/system.h"

namespace procevent {

// A scrape is answered when three conditions hold:
//  1. every event that was queued before the scraper asked has been applied;
//  2. every drop before that shows as lost: each CPU has had an event since, if need be a canary (CpuProbe);
//  3. every fork that the kernel has counted is accounted for. The kernel counts a fork before it queues its event.
// On an overloaded machine each of these may never hold. The barrier waits for a bounded time, and then the snapshot
// is filled with what there is.
// Pure: decides the next step. ScrapeAnswerer owns one per request and takes the step.
class ScrapeBarrier {
 public:
  // The scraper asked at that time, which may be a while before the reader notices.
  explicit ScrapeBarrier(std::uint64_t asked_ns) : asked_ns_(asked_ns) {}

  enum class Step : std::uint8_t {
    kWait,          // drain, and ask again
    kProbeCpus,     // make hidden losses visible
    kCountForks,    // read the kernel's fork count; then MarkForksCounted
    kSendCanary,    // the subscription may be lost: prove it now
    kFillSnapshot,  // answer
  };
  struct Conditions {
    std::uint64_t applied_until_ns = 0;         // every event queued before this time has been applied
    bool probing_cpus = false;                  // a CPU probe is in progress
    std::uint64_t last_probe_end_ns = 0;        // its canaries were queued before this time
    bool losses_hidden = false;                 // there were drops since the last CPU probe
    std::uint64_t losses_visible_until_ns = 0;  // but those before this time show in the events of every CPU
    bool forks_missing = false;                 // ignored before MarkForksCounted
  };
  [[nodiscard]] Step DecideStep(const Conditions& conditions, std::uint64_t now_ns);
  void MarkForksCounted(std::uint64_t now_ns) { forks_counted_ns_ = now_ns; }
  [[nodiscard]] bool forks_counted() const { return forks_counted_ns_.has_value(); }

  [[nodiscard]] std::uint64_t asked_ns() const { return asked_ns_; }
  // Once the forks are counted: the answer is complete for every scrape that asked until then. A late answer serves
  // only the scrape that asked for it, as far as it is complete.
  [[nodiscard]] std::uint64_t complete_until_ns() const { return complete_until_ns_; }

 private:
  static constexpr std::uint64_t kMaxWait = 500 * kNanosPerMilli;
  static constexpr std::uint64_t kMaxWaitForForks = 200 * kNanosPerMilli;
  // After waiting so long for forks, a canary is sent: there may be no subscription any more.
  static constexpr std::uint64_t kCanaryAfter = 20 * kNanosPerMilli;

  std::uint64_t asked_ns_;
  std::optional<std::uint64_t> forks_counted_ns_;
  std::uint64_t complete_until_ns_ = 0;  // set with the step kCountForks
  bool canary_sent_ = false;
};

inline ScrapeBarrier::Step ScrapeBarrier::DecideStep(const Conditions& conditions, std::uint64_t now_ns) {
  const bool late = now_ns - asked_ns_ >= kMaxWait;
  const std::uint64_t needed_ns = std::max(asked_ns_, conditions.last_probe_end_ns);
  if (!late && (conditions.applied_until_ns < needed_ns || conditions.probing_cpus)) {
    return Step::kWait;
  }
  if (!forks_counted_ns_) {
    const std::uint64_t visible_until_ns = conditions.losses_hidden ? conditions.losses_visible_until_ns : now_ns;
    if (!late && visible_until_ns < asked_ns_) {
      return Step::kProbeCpus;  // again, if canaries of the last probe were dropped
    }
    complete_until_ns_ = std::max(asked_ns_, std::min(conditions.applied_until_ns, visible_until_ns));
    return Step::kCountForks;
  }
  const std::uint64_t waited = now_ns - *forks_counted_ns_;
  if (late || !conditions.forks_missing || waited >= kMaxWaitForForks) {
    return Step::kFillSnapshot;
  }
  if (!canary_sent_ && waited >= kCanaryAfter) {
    canary_sent_ = true;
    return Step::kSendCanary;
  }
  return Step::kWait;
}

}  // namespace procevent
