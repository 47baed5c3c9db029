#include "core/ledger/delay_histogram.h"

namespace procevent {

// From where the last one was: those of one batch lie close together.
void DelayHistogram::Add(std::uint64_t nanos) {
  while (last_ < kBounds && nanos > kUpperNanos[last_]) {
    ++last_;
  }
  while (last_ > 0 && nanos <= kUpperNanos[last_ - 1]) {
    --last_;
  }
  ++counts_[last_];
  sum_nanos_ += nanos;
}

}  // namespace procevent
