// Counts failed and killed processes by group and by exit status or signal.
//
// The number of pairs of group and reason is bounded. A pair that finds the table full is not counted here, so the
// exits of a group may be more than its pairs: the difference is exposed as "other". A pair is never evicted for
// another one, only with its group. Nothing is allocated after construction. Owned by CommTable. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

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
};

inline constexpr std::size_t kExitReasonsPerGroup = 4;  // on average over all groups

class ExitReasonTable {
 public:
  explicit ExitReasonTable(std::size_t max_pairs);

  void Count(std::uint16_t group, ExitReason reason, std::int32_t pid);
  // Erases all pairs of the groups for which `erased` is true.
  void EraseGroups(const std::function<bool(std::size_t group)>& erased);

  // In the order of their first occurrence.
  [[nodiscard]] std::span<const ExitReasonCount> counts() const { return counts_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  // The slot of the pair, or the free slot where it belongs.
  [[nodiscard]] std::size_t FindSlot(std::uint16_t group, ExitReason reason) const;

  std::size_t max_pairs_;
  std::vector<ExitReasonCount> counts_;
  std::vector<std::uint32_t> slots_;  // indexes of counts_; open addressing with linear probing, at most half full
};

}  // namespace procevent
