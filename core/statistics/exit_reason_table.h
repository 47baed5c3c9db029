// Counts failed and killed processes by group and by exit status or signal.
//
// The number of pairs of group and reason is bounded, in total and for each group, and signals have a bound of their
// own: a group with many statuses leaves room for others, and for crashes. A pair beyond a bound is not counted here,
// so a group may have more exits than its pairs show: the difference is exposed as "other". A pair is never evicted for
// another one, only with its group. After construction only Grow allocates. Owned by GroupTable. Single-threaded.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/tracker/activity.h"

namespace procevent {

// Why an exit was no success: a signal, or a status other than 0.
struct ExitReason {
  bool killed = false;
  std::uint8_t number = 0;  // of the signal, or the status
  bool operator==(const ExitReason&) const = default;
};

// The processes of one group that ended for one reason.
struct ExitReasonCount {
  std::uint16_t group = 0;  // its row in the group table
  ExitReason reason;
  std::int32_t last_pid = 0;  // of the latest one
  std::uint64_t count = 0;
  std::uint64_t without_exec = 0;  // as many of them never executed a program, see ProcessExit
};

// On average over all groups, the reserved ones included.
inline constexpr std::size_t kExitCodesPerGroup = 3;
inline constexpr std::size_t kExitSignalsPerGroup = 1;
inline constexpr std::size_t kExitReasonsPerGroup = kExitCodesPerGroup + kExitSignalsPerGroup;
// Of all groups together: codes, or signals.
constexpr std::size_t MaxExitReasons(bool killed, std::size_t groups) {
  return (killed ? kExitSignalsPerGroup : kExitCodesPerGroup) * groups;
}
// Of one group: codes, and again signals.
inline constexpr std::size_t kMaxExitReasonsOfGroup = 16;

// A copy of a table's pairs. It keeps its capacity when it is copied itself. Assign allocates nothing.
class ExitReasonList {
 public:
  explicit ExitReasonList(std::size_t capacity) : pairs_(capacity) {}

  // Raises the capacity to `capacity`, if it is less.
  void Grow(std::size_t capacity) { pairs_.resize(std::max(capacity, pairs_.size())); }
  // At most as many pairs as the capacity; more are left out.
  void Assign(std::span<const ExitReasonCount> pairs) {
    assert(pairs.size() <= pairs_.size());
    size_ = std::min(pairs.size(), pairs_.size());
    std::ranges::copy(pairs.first(size_), pairs_.begin());
  }
  [[nodiscard]] std::span<const ExitReasonCount> pairs() const { return std::span(pairs_).first(size_); }

 private:
  std::vector<ExitReasonCount> pairs_;  // the first `size_` are in use
  std::size_t size_ = 0;
};

class ExitReasonTable {
 public:
  explicit ExitReasonTable(std::size_t groups) { Grow(groups); }

  // Raises the bounds to those of a table of `groups`, at least as many as before. Keeps all pairs.
  void Grow(std::size_t groups);
  // Ignores an exit with status 0.
  void Count(std::uint16_t group, const ProcessExit& exit);
  // Erases all pairs of the groups for which `erased` is true.
  void EraseGroups(const std::function<bool(std::size_t group)>& erased);

  // In the order of their first occurrence.
  [[nodiscard]] std::span<const ExitReasonCount> counts() const { return counts_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  // The slot of the pair, or the free slot where it belongs.
  [[nodiscard]] std::size_t FindSlot(std::uint16_t group, ExitReason reason) const;
  void FillSlots();

  using CountByKind = std::array<std::size_t, 2>;  // codes and signals

  CountByKind max_pairs_{};
  CountByKind pairs_{};
  std::vector<CountByKind> pairs_of_group_;
  std::vector<ExitReasonCount> counts_;
  std::vector<std::uint32_t> slots_;  // indexes of counts_; open addressing with linear probing, at most half full
};

}  // namespace procevent
