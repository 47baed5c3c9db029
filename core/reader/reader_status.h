// The state of the reader or replayer, published after each of its steps. Readiness checks read it without a snapshot.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/base/system.h"

namespace procevent {

struct ReaderStatus {
  std::uint64_t published_ns = 0;     // CLOCK_MONOTONIC; 0: the thread has not tried to subscribe yet
  bool replayed = false;              // the events come from a capture instead of the kernel
  bool subscribed = false;            // subscribed, and no canary is missing; or the capture is readable
  bool loss_exact = true;             // false with a narrowed mask: then only socket_drops shows losses
  StaticError subscription_error{};   // the cause while `subscribed` is false
  std::uint64_t received_events = 0;  // without ACKs
  std::uint64_t lost_events = 0;      // only if loss_exact
  std::uint64_t socket_drops = 0;
  std::uint64_t unsubscribed_ns = 0;
  // CLOCK_MONOTONIC. The thread publishes the next status at this time at the latest, unless something delays it.
  std::uint64_t next_update_ns = 0;
};

// A thread that is delayed for longer than this hangs. A shorter delay only means that the machine is overloaded.
inline constexpr std::uint64_t kMaxReaderDelay = 5 * kNanosPerSecond;

constexpr bool IsResponsive(const ReaderStatus& status, std::uint64_t now_ns) {
  return now_ns < status.next_update_ns || now_ns - status.next_update_ns < kMaxReaderDelay;
}

}  // namespace procevent
