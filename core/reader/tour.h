// When to sound the canary from every CPU. The first event on a CPU sets the baseline of its losses, and what was
// dropped there last shows only in the number of the next. Pure; the reader owns it and does the touring.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace procevent {

class Tour {
 public:
  // `drops`: how many there were so far; they show when the tour is over.
  void Begin(std::uint64_t drops, std::uint64_t now_ns) {
    under_way_ = true;
    begun_ns_ = now_ns;
    shown_drops_ = drops;
  }
  void End() { under_way_ = false; }

  [[nodiscard]] bool under_way() const { return under_way_; }
  [[nodiscard]] bool Hides(std::uint64_t drops) const { return drops != shown_drops_; }
  // While drops go on, one tour a second is enough.
  [[nodiscard]] std::uint64_t next_ns() const { return begun_ns_ + kNanosPerSecond; }

 private:
  bool under_way_ = false;
  std::uint64_t begun_ns_ = 0;
  std::uint64_t shown_drops_ = 0;
};

}  // namespace procevent
