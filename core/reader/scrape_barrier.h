// FOLDED: tour.h, fork_audit.h, cut.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/system.h"

namespace procevent {

// When to sound the canary from every CPU. The first event on a CPU sets the baseline of its losses, and what was
// dropped there last shows only in the number of the next. Pure; the reader owns it and does the touring.

class CpuProbe {
 public:
  // `drops`: how many there were so far; they show when the tour is over.
  void Start(std::uint64_t drops, std::uint64_t now_ns) {
    under_way_ = true;
    begun_ns_ = now_ns;
    shown_drops_ = drops;
  }
  void Finish() { under_way_ = false; }

  [[nodiscard]] bool in_progress() const { return under_way_; }
  [[nodiscard]] bool HasHiddenDrops(std::uint64_t drops) const { return drops != shown_drops_; }
  // While drops go on, one tour a second is enough.
  [[nodiscard]] std::uint64_t next_ns() const { return begun_ns_ + kNanosPerSecond; }

 private:
  bool under_way_ = false;
  std::uint64_t begun_ns_ = 0;
  std::uint64_t shown_drops_ = 0;
};

// Holds fork events against the kernel's own count of forks (/proc/stat), which also knows those that were lost and
// those that were made while nobody listened. At every scrape: 0 <= growth - fork events <= lost + unseen.
// Pure; the reader owns it.

class ForkAudit {
 public:
  // What the reader has at one moment.
  struct ForkCounts {
    std::uint64_t forks = 0;
    std::uint64_t lost = 0;  // of any kind: some of them were forks
  };

  // How many forks the kernel has counted since the first call, which comes before the first subscription. `booked`
  // is older than that count.
  std::uint64_t KernelForksSinceStart(std::uint64_t kernel_forks, const ForkCounts& booked);

  // Forks that the kernel counted, and that neither came nor are explained by what was lost or unseen.
  [[nodiscard]] std::uint64_t MissingForks(std::uint64_t growth, const ForkCounts& booked) const;

  // The kernel has just spoken to us, and what it counted up to `growth` came before. What was missing here already at
  // the time before was made in a silence too short to be noticed, and was never seen; what is missing for the first
  // time may only be late.
  // Returns how many it counted as such.
  std::uint64_t CountUnseenForksAtCanary(std::uint64_t growth, const ForkCounts& booked);
  // Nobody listened since NoteAlive: what is missing since then was never seen.
  void CountUnseenForks(std::uint64_t growth, const ForkCounts& booked);
  [[nodiscard]] std::uint64_t unseen_forks() const { return unseen_; }

 private:
  std::optional<std::uint64_t> base_;
  std::uint64_t unseen_ = 0;
  std::uint64_t missing_before_ = 0;
  std::uint64_t slack_ = 0;  // lost events that were no forks, up to NoteAlive: they explain no later fork
};

// When a scrape is ripe: when all that was queued before it has been booked, when what was dropped before it shows as
// lost, and when the forks that the kernel has counted are accounted for (it counts a fork before it queues the event).
// On an overloaded machine each of these may fail to come about; then the answer is what there is.
// Pure: says what to do next; the reader owns it and does that.

class ScrapeBarrier {
 public:
  explicit ScrapeBarrier(std::uint64_t since_ns) : since_ns_(since_ns) {}

  enum class Step : std::uint8_t {
    kWait,        // drain, and ask again
    kProbeCpus,   // make hidden losses show
    kCountForks,  // the kernel's forks; then NoteCounted
    kSendCanary,  // the kernel may have fallen silent: sound the canary
    kFillSnapshot,
  };
  struct Conditions {
    bool queue_empty = false;    // the last drain left nothing behind
    bool probing_cpus = false;   // a tour is under way
    bool losses_hidden = false;  // there were drops since the last tour
    bool forks_missing = false;  // only looked at after NoteCounted
  };
  [[nodiscard]] Step DecideStep(const Conditions& situation, std::uint64_t now_ns);
  void MarkForksCounted(std::uint64_t now_ns) { counted_ns_ = now_ns; }

  // All that was queued before is in the answer.
  [[nodiscard]] std::uint64_t requested_ns() const { return since_ns_; }
  [[nodiscard]] bool forks_counted() const { return counted_ns_.has_value(); }

 private:
  static constexpr std::uint64_t kLongest = 500 * kNanosPerMilli;
  static constexpr std::uint64_t kLongestForForks = 200 * kNanosPerMilli;
  // The second canary tells forks that were never heard from those that are late.
  static constexpr std::array kDoubtsAfter{20 * kNanosPerMilli, 100 * kNanosPerMilli};

  std::uint64_t since_ns_;
  std::optional<std::uint64_t> counted_ns_;
  bool toured_ = false;
  std::size_t doubts_ = 0;
};

}  // namespace procevent
