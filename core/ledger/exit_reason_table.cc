#include "core/ledger/exit_reason_table.h"

#include <algorithm>
#include <bit>

namespace procevent {

ExitReasonTable::ExitReasonTable(std::size_t max_pairs)
    : max_pairs_(max_pairs), slots_(std::bit_ceil(2 * max_pairs), kFree) {
  counts_.reserve(max_pairs);
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

void ExitReasonTable::Count(std::uint16_t group, ExitReason reason, std::int32_t pid) {
  const std::size_t slot = FindSlot(group, reason);
  if (slots_[slot] == kFree) {
    if (counts_.size() == max_pairs_) {
      return;
    }
    slots_[slot] = static_cast<std::uint32_t>(counts_.size());
    counts_.push_back({.group = group, .reason = reason});
  }
  ExitReasonCount& pair = counts_[slots_[slot]];
  ++pair.count;
  pair.last_pid = pid;
}

void ExitReasonTable::EraseGroups(const std::function<bool(std::size_t group)>& erased) {
  if (std::erase_if(counts_, [&](const ExitReasonCount& pair) { return erased(pair.group); }) == 0) {
    return;
  }
  std::ranges::fill(slots_, kFree);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    slots_[FindSlot(counts_[i].group, counts_[i].reason)] = static_cast<std::uint32_t>(i);
  }
}

}  // namespace procevent
