// How often losses are told: the first at once, further ones summed up, once a minute. Pure; the reader owns it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/clock.h"

namespace procevent {

class LossReport {
 public:
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  struct Loss {
    std::uint64_t events = 0;
    bool queue_full = false;  // the socket dropped messages; otherwise the kernel had none to queue
    bool operator==(const Loss&) const = default;
  };

  // `lost` and `drops`: in all, up to now. Returns what is to be told now.
  [[nodiscard]] std::optional<Loss> Due(std::uint64_t lost, std::uint64_t drops, std::uint64_t now_ns) {
    if (lost == lost_ || now_ns < next_ns_) {
      return std::nullopt;
    }
    next_ns_ = now_ns + kInterval;
    return Loss{lost - std::exchange(lost_, lost), drops != std::exchange(drops_, drops)};
  }

 private:
  std::uint64_t lost_ = 0;  // as told
  std::uint64_t drops_ = 0;
  std::uint64_t next_ns_ = 0;
};

}  // namespace procevent
