// Bounds how many groups of the group table lose their row to a busier group.
//
// At most a tenth of the table's limit within any minute, and at most the limit within any hour. So a process that
// renames itself again and again makes a bounded number of series. The price of a row is three times as high with each
// tenth of a bound that is used. So short storms under many names do not use up a bound: its last tenths are left to
// longer storms. Pure. Owned by GroupTable. Single-threaded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace procevent {

class DisplacementBudget {
 public:
  explicit DisplacementBudget(std::size_t limit) { Grow(limit); }

  // Returns the activities by which a group must exceed the one that it displaces. Empty if a bound is reached. Times
  // must not decrease.
  [[nodiscard]] std::optional<std::uint64_t> PriceAt(std::uint64_t now_ns);
  // Records a displacement that had a price at this time.
  void Record(std::uint64_t now_ns) { times_[recorded_++ % times_.size()] = now_ns; }
  // Sets a limit that is not lower than before. Allocates.
  void Grow(std::size_t limit);

 private:
  static constexpr std::uint64_t kMinute = 60'000'000'000;
  static constexpr std::uint64_t kLowestPrice = 10;
  static constexpr std::uint64_t kPriceFactor = 3;
  static constexpr std::size_t kSteps = 10;  // of the price

  // The displacements of a period until now.
  struct Window {
    std::uint64_t duration_ns = 0;
    std::size_t limit = 0;
    std::size_t expired = 0;  // number of recorded displacements that are older
  };

  std::vector<std::uint64_t> times_;  // of the last displacements: a ring of as many as the limit
  std::size_t recorded_ = 0;
  Window minute_{.duration_ns = kMinute};
  Window hour_{.duration_ns = 60 * kMinute};
};

inline std::optional<std::uint64_t> DisplacementBudget::PriceAt(std::uint64_t now_ns) {
  std::size_t step = 0;
  for (Window* const window : {&minute_, &hour_}) {
    while (window->expired < recorded_ && times_[window->expired % times_.size()] + window->duration_ns <= now_ns) {
      ++window->expired;
    }
    const std::size_t used = recorded_ - window->expired;
    if (used >= window->limit) {
      return std::nullopt;
    }
    step = std::max(step, used * kSteps / window->limit);
  }
  std::uint64_t price = kLowestPrice;
  for (; step > 0; --step) {
    price *= kPriceFactor;
  }
  return price;
}

inline void DisplacementBudget::Grow(std::size_t limit) {
  std::vector<std::uint64_t> times(limit);
  for (std::size_t i = hour_.expired; i < recorded_; ++i) {
    times[i - hour_.expired] = times_[i % times_.size()];
  }
  times_ = std::move(times);
  recorded_ -= hour_.expired;
  minute_.expired -= hour_.expired;
  hour_.expired = 0;
  hour_.limit = limit;
  minute_.limit = limit == 0 ? 0 : std::max<std::size_t>(limit / 10, 1);
}

}  // namespace procevent
