// How often losses are told: the first at once, further ones summed up, once a minute. Pure; the reader owns it.
#pragma once

#include <cstdint>
#include <utility>

#include "core/base/clock.h"

namespace procevent {

class LossReport {
 public:
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  // `lost`: in all, up to now. Returns how many of them are to be told now; 0: nothing.
  [[nodiscard]] std::uint64_t Due(std::uint64_t lost, std::uint64_t now_ns) {
    if (lost == told_ || now_ns < next_ns_) {
      return 0;
    }
    next_ns_ = now_ns + kInterval;
    return lost - std::exchange(told_, lost);
  }

 private:
  std::uint64_t told_ = 0;
  std::uint64_t next_ns_ = 0;
};

}  // namespace procevent
