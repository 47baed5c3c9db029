// Which events a subscription asks for: the kernel's own bits. A mask that narrows always keeps COMM, for the canary.
#pragma once

#include <cstdint>

#include "core/protocol/event.h"
#include "core/protocol/wire.h"

namespace procevent {

class EventMask {
 public:
  // The kernel's PROC_EVENT_ALL; every event there is.
  static constexpr EventMask All() {
    return EventMask(wire::kWhatFork | wire::kWhatExec | wire::kWhatUid | wire::kWhatGid | wire::kWhatSid |
                     wire::kWhatPtrace | wire::kWhatComm | wire::kWhatNonzeroExit | wire::kWhatCoredump |
                     wire::kWhatExit);
  }
  static constexpr EventMask None() { return EventMask(0); }

  // kAck and kUnknown have no bit: they add nothing.
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

// How much of what happens is heard.
enum class EventCoverage : std::uint8_t {
  kAll,        // every event: a gap in the numbers is a loss
  kLifecycle,  // a narrowed mask, in which fork, exec and exit are: the kernel numbers what it leaves out, so gaps say
               // nothing
  kPartial,    // one without these: who lives, and under which name, cannot be known
};

constexpr EventCoverage CoverageOf(EventMask events) {
  if (events == EventMask::All()) {
    return EventCoverage::kAll;
  }
  const bool lives = events.Has(EventKind::kFork) && events.Has(EventKind::kExec) && events.Has(EventKind::kExit);
  return lives ? EventCoverage::kLifecycle : EventCoverage::kPartial;
}

}  // namespace procevent
