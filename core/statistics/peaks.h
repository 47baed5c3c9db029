// Finds the highest rates of forks, execs and exits in the last minute. A sink of Statistics. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/system.h"
#include "core/tracker/activity.h"
#include "core/tracker/counts.h"

namespace procevent {

inline constexpr std::array kPeakActivities{ActivityKind::kFork, ActivityKind::kExec, ActivityKind::kExit};
inline constexpr std::array<std::string_view, 2> kPeakWindowNames{"100ms", "1s"};
// Per second, by activity and window.
using PeakRates = std::array<std::array<double, kPeakWindowNames.size()>, kPeakActivities.size()>;

// Finds the highest rates of the last minute, which an average between two scrapes hides. Activities are counted by the
// timestamps of their events in slots of 10 ms. A window is any run of whole slots.
class Peaks {
 public:
  Peaks() : slots_(kSlots) {}

  void OnEvent(const Activity& activity);
  // Discards slots that are too old at `now_ns`.
  void Advance(std::uint64_t now_ns);
  [[nodiscard]] PeakRates Rates() const;

 private:
  static constexpr std::uint64_t kSlotNanos = 10 * kNanosPerMilli;
  static constexpr std::array<std::size_t, kPeakWindowNames.size()> kWindowSlots{10, 100};
  static constexpr std::size_t kWindowEnds = 6000;          // slots of the last minute, in which a window may end
  static constexpr std::size_t kSlots = kWindowEnds + 100;  // plus the slots before, where these windows begin

  void Add(std::size_t column, std::uint64_t when_ns);

  using Slot = std::array<std::uint32_t, kPeakActivities.size()>;
  [[nodiscard]] const Slot& At(std::uint64_t slot) const { return slots_[slot % kSlots]; }

  std::vector<Slot> slots_;  // a ring
  std::uint64_t newest_ = kSlots;
  std::size_t newest_index_ = 0;  // in the ring
  std::uint64_t newest_start_ns_ = 0;
};

}  // namespace procevent
