#include "core/ledger/histogram.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace procevent {

// From below: what is added in a storm is small and alike, so the branches are foreseen.
void Histogram::Add(std::uint64_t value) {
  std::size_t bucket = 0;
  while (bucket < upper_.size() && value > upper_[bucket]) {
    ++bucket;
  }
  ++counts_[bucket];
  sum_ += value;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus<>());
  sum_ += other.sum_;
  return *this;
}

void Histogram::Clear() {
  std::ranges::fill(counts_, 0);
  sum_ = 0;
}

std::uint64_t Histogram::count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

}  // namespace procevent
