// Counts the activities of the busiest groups that have no row in the group table.
//
// A Misra-Gries sketch: it counts the activities of at most kMaxCandidates groups. An activity of another group then
// takes one from every count, and a count of 0 makes room. So a count is a lower bound, and a group with more than one
// in kMaxCandidates of the activities counted here is always among the candidates. The counts decide which group gets a
// row, and are exposed nowhere.
//
// Allocates only when a group id occurs first. Owned by GroupTable. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/statistics/group_labels.h"

namespace procevent {

struct GroupCandidate {
  std::uint64_t activities = 0;  // a lower bound
  std::uint64_t acted_ns = 0;    // at last
  GroupId group = kNoEntry;
};

class GroupCandidates {
 public:
  static constexpr std::size_t kMaxCandidates = 256;

  // Each candidate holds a reference to its group in `keys`, which must outlive this.
  explicit GroupCandidates(GroupKeyTable& keys) : keys_(keys) { candidates_.reserve(kMaxCandidates); }

  // `now_ns` must not decrease.
  void Count(GroupId group, std::uint64_t activities, std::uint64_t now_ns);
  // Halves all counts `times` times.
  void Halve(std::uint64_t times);
  // Removes the group, and returns its count, or 0 if it was no candidate.
  std::uint64_t Remove(GroupId group);

  // A lower bound of the activities of the group; 0 if it is no candidate.
  [[nodiscard]] std::uint64_t ActivitiesOf(GroupId group) const;
  // Whether no other group that acted within the last second has more activities.
  [[nodiscard]] bool IsBusiestOfTheActive(GroupId group, std::uint64_t now_ns) const;
  // In the order in which they became candidates.
  [[nodiscard]] std::span<const GroupCandidate> candidates() const { return candidates_; }

 private:
  static constexpr std::uint16_t kNone = UINT16_MAX;

  // Replaces each count by `changed` of it, and removes the candidates with a count of 0.
  template <typename Change>
  void ChangeAll(const Change& changed);

  GroupKeyTable& keys_;
  std::vector<GroupCandidate> candidates_;
  std::vector<std::uint16_t> index_of_group_;  // in candidates_, by GroupId
};

}  // namespace procevent
