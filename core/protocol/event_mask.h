// Set of event kinds that a subscription requests, as the kernel's filter bits.
//
// A narrowed subscription always includes COMM, because the canary is a COMM event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>

#include "core/protocol/event.h"
#include "core/protocol/wire.h"

namespace procevent {

class EventMask {
 public:
  // Every event: the kernel's PROC_EVENT_ALL.
  static constexpr EventMask All() {
    std::uint32_t all = 0;
    for (const std::uint32_t bits : kBits) {
      all |= bits;
    }
    return EventMask(all);
  }
  static constexpr EventMask None() { return EventMask(0); }

  // kAck and kUnknown have no bit and change nothing.
  [[nodiscard]] constexpr EventMask With(EventKind kind) const { return EventMask(bits_ | BitsOf(kind)); }
  [[nodiscard]] constexpr bool Has(EventKind kind) const {
    const std::uint32_t bits = BitsOf(kind);
    return bits != 0 && (bits_ & bits) == bits;
  }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool operator==(const EventMask&) const = default;

 private:
  constexpr explicit EventMask(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t BitsOf(EventKind kind) { return kBits.at(static_cast<std::size_t>(kind)); }

  // By EventKind.
  static constexpr std::array<std::uint32_t, kEventKinds> kBits = WithEventBodies([]<typename... Bodies>() {
    return std::array{std::accumulate(Bodies::kTypes.begin(), Bodies::kTypes.end(), 0U, std::bit_or<>())...};
  });

  std::uint32_t bits_;
};
static_assert(EventMask::All().bits() == wire::kWhatAll);

// How much of the process activity a subscription covers.
enum class EventCoverage : std::uint8_t {
  kAll,        // every event: a sequence gap is a loss
  kLifecycle,  // a narrowed mask with fork, exec and exit. The kernel also numbers filtered events, so gaps are no
               // losses
  kPartial,    // a mask without fork, exec or exit: processes and their names cannot be tracked
};

constexpr EventCoverage CoverageOf(EventMask events) {
  if (events == EventMask::All()) {
    return EventCoverage::kAll;
  }
  const bool has_lifecycle =
      events.Has(EventKind::kFork) && events.Has(EventKind::kExec) && events.Has(EventKind::kExit);
  return has_lifecycle ? EventCoverage::kLifecycle : EventCoverage::kPartial;
}

}  // namespace procevent
