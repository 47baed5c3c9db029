// When a scrape is ripe: when all that was queued before it has been booked, when what was dropped before it shows as
// lost, and when the forks that the kernel has counted are accounted for (it counts a fork before it queues the event).
// On an overloaded machine each of these may fail to come about; then the answer is what there is.
// Pure: says what to do next; the reader owns it and does that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"

namespace procevent {

class Cut {
 public:
  explicit Cut(std::uint64_t since_ns) : since_ns_(since_ns) {}

  enum class Step : std::uint8_t {
    kWait,        // drain, and ask again
    kTour,        // make hidden losses show
    kCountForks,  // the kernel's forks; then NoteCounted
    kDoubt,       // the kernel may have fallen silent: sound the canary
    kAnswer,
  };
  struct Situation {
    bool emptied = false;        // the last drain left nothing behind
    bool touring = false;        // a tour is under way
    bool losses_hidden = false;  // there were drops since the last tour
    bool forks_missing = false;  // only looked at after NoteCounted
  };
  [[nodiscard]] Step Next(const Situation& situation, std::uint64_t now_ns);
  void NoteCounted(std::uint64_t now_ns) { counted_ns_ = now_ns; }

  // All that was queued before is in the answer.
  [[nodiscard]] std::uint64_t since_ns() const { return since_ns_; }
  [[nodiscard]] bool counted() const { return counted_ns_.has_value(); }

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
