#include "core/ledger/delay_histogram.h"

namespace procevent {

// From below: most delays are small, and those of one batch lie close together, so the branches are foreseen.
void DelayHistogram::Add(std::uint64_t nanos) {
  std::size_t bucket = 0;
  while (bucket < kBounds && nanos > kUpperNanos[bucket]) {
    ++bucket;
  }
  ++counts_[bucket];
  sum_nanos_ += nanos;
}

}  // namespace procevent
