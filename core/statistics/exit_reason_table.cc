#include "core/statistics/exit_reason_table.h"

#include <algorithm>
#include <bit>

namespace procevent {

void ExitReasonTable::Grow(std::size_t groups) {
  max_pairs_ = {MaxExitReasons(false, groups), MaxExitReasons(true, groups)};
  pairs_of_group_.resize(groups);
  counts_.reserve(kExitReasonsPerGroup * groups);
  slots_.resize(std::bit_ceil(2 * kExitReasonsPerGroup * groups));
  FillSlots();
}

void ExitReasonTable::FillSlots() {
  std::ranges::fill(slots_, kFree);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    slots_[FindSlot(counts_[i].group, counts_[i].reason)] = static_cast<std::uint32_t>(i);
  }
}

std::size_t ExitReasonTable::FindSlot(std::uint16_t group, ExitReason reason) const {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  const std::uint64_t key = std::uint64_t{group} << 9U | std::uint64_t{reason.killed} << 8U | reason.number;
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = (key * kMultiplier >> 32U) & mask;
  while (slots_[slot] != kFree) {
    const ExitReasonCount& pair = counts_[slots_[slot]];
    if (pair.group == group && pair.reason == reason) {
      break;
    }
    slot = (slot + 1) & mask;
  }
  return slot;
}

void ExitReasonTable::Count(std::uint16_t group, const ProcessExit& exit) {
  const bool killed = exit.status.signal != 0;
  const ExitReason reason{killed, killed ? exit.status.signal : exit.status.status};
  if (reason.number == 0) {
    return;
  }
  const std::size_t slot = FindSlot(group, reason);
  if (slots_[slot] == kFree) {
    const std::size_t kind = reason.killed ? 1 : 0;
    if (pairs_[kind] == max_pairs_[kind] || pairs_of_group_[group][kind] == kMaxExitReasonsOfGroup) {
      return;
    }
    ++pairs_[kind];
    ++pairs_of_group_[group][kind];
    slots_[slot] = static_cast<std::uint32_t>(counts_.size());
    counts_.push_back({.group = group, .reason = reason});
  }
  ExitReasonCount& pair = counts_[slots_[slot]];
  ++pair.count;
  pair.without_exec += exit.without_exec ? 1 : 0;
  pair.last_pid = exit.pid;
}

void ExitReasonTable::EraseGroups(const std::function<bool(std::size_t group)>& erased) {
  const auto erase = [&](const ExitReasonCount& pair) {
    const bool gone = erased(pair.group);
    if (gone) {
      --pairs_[pair.reason.killed ? 1 : 0];
      pairs_of_group_[pair.group] = {};
    }
    return gone;
  };
  if (std::erase_if(counts_, erase) != 0) {
    FillSlots();
  }
}

}  // namespace procevent
