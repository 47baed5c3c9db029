#include "core/reader/cut.h"

namespace procevent {

Cut::Step Cut::Next(const Situation& situation, std::uint64_t now_ns) {
  const bool late = now_ns - since_ns_ >= kLongest;
  if (!late && (!situation.emptied || situation.touring)) {
    return Step::kWait;
  }
  if (!late && !toured_ && situation.losses_hidden) {
    toured_ = true;
    return Step::kTour;
  }
  if (!counted_ns_) {
    return Step::kCountForks;
  }
  const std::uint64_t waited = now_ns - *counted_ns_;
  if (late || !situation.forks_missing || waited >= kLongestForForks) {
    return Step::kAnswer;
  }
  if (doubts_ < kDoubtsAfter.size() && waited >= kDoubtsAfter.at(doubts_)) {
    ++doubts_;
    return Step::kDoubt;
  }
  return Step::kWait;
}

}  // namespace procevent
