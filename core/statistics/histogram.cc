#include "core/statistics/histogram.h"

#include <algorithm>
#include <numeric>

#include "core/base/arithmetic.h"

namespace procevent {

// Searches from the lowest bound: in a storm the values are small and similar, so that the branches are predicted.
void Histogram::Add(std::uint64_t value) {
  std::size_t bucket = 0;
  while (bucket < upper_.size() && value > upper_[bucket]) {
    ++bucket;
  }
  ++counts_[bucket];
  sum_ = SaturatingSum(sum_, value);
}

void Histogram::Clear() {
  std::ranges::fill(counts_, 0);
  sum_ = 0;
}

std::uint64_t Histogram::count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

}  // namespace procevent
