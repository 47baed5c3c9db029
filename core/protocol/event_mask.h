// Set of event kinds that a subscription requests, as the kernel's filter bits.
//
// A narrowed subscription always includes COMM, because the canary is a COMM event.
#pragma once

#include <cstdint>

#include "core/protocol/event.h"
#include "core/protocol/wire.h"

namespace procevent {

class EventMask {
 public:
  // Every event: the kernel's PROC_EVENT_ALL.
  static constexpr EventMask All() {
    return EventMask(wire::kWhatFork | wire::kWhatExec | wire::kWhatUid | wire::kWhatGid | wire::kWhatSid |
                     wire::kWhatPtrace | wire::kWhatComm | wire::kWhatNonzeroExit | wire::kWhatCoredump |
                     wire::kWhatExit);
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
  static constexpr std::uint32_t BitsOf(EventKind kind) {
    switch (kind) {
      case EventKind::kFork:
        return wire::kWhatFork;
      case EventKind::kExec:
        return wire::kWhatExec;
      case EventKind::kExit:
        return wire::kWhatExit | wire::kWhatNonzeroExit;
      case EventKind::kUid:
        return wire::kWhatUid;
      case EventKind::kGid:
        return wire::kWhatGid;
      case EventKind::kSid:
        return wire::kWhatSid;
      case EventKind::kPtrace:
        return wire::kWhatPtrace;
      case EventKind::kComm:
        return wire::kWhatComm;
      case EventKind::kCoredump:
        return wire::kWhatCoredump;
      case EventKind::kAck:
      case EventKind::kUnknown:
        return 0;
    }
    return 0;
  }

  std::uint32_t bits_;
};
static_assert(EventMask::All().bits() == 0xE00003C7);

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
