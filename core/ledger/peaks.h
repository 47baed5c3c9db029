// The highest rates of the last minute: what an average between two scrapes cannot show. Events are counted by their
// own time in slots of 10 ms; a window is any run of whole slots. Owned by the ledger.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/protocol/event.h"

namespace procevent {

inline constexpr std::array kPeakKinds{EventKind::kFork, EventKind::kExec, EventKind::kExit};
inline constexpr std::array<std::string_view, 2> kPeakWindowNames{"100ms", "1s"};
// By kind and window, events per second.
using PeakRates = std::array<std::array<double, kPeakWindowNames.size()>, kPeakKinds.size()>;

class Peaks {
 public:
  Peaks() : slots_(kSlots) {}

  void Note(EventKind kind, std::uint64_t when_ns);
  // Forgets what is too old by now.
  void Advance(std::uint64_t now_ns);
  [[nodiscard]] PeakRates Rates() const;

 private:
  static constexpr std::uint64_t kSlotNanos = 10 * kNanosPerMilli;
  static constexpr std::array<std::size_t, kPeakWindowNames.size()> kWindowSlots{10, 100};
  static constexpr std::size_t kRemembered = 6000;          // windows that end in the last minute
  static constexpr std::size_t kSlots = kRemembered + 100;  // and where the first of them begin

  using Slot = std::array<std::uint32_t, kPeakKinds.size()>;
  [[nodiscard]] const Slot& At(std::uint64_t slot) const { return slots_[slot % kSlots]; }

  std::vector<Slot> slots_;  // a ring
  std::uint64_t newest_ = kSlots;
  std::size_t newest_place_ = 0;  // in the ring
  std::uint64_t newest_begins_ns_ = 0;
};

}  // namespace procevent
