#include "core/statistics/group_candidates.h"

#include <algorithm>
#include <utility>

namespace procevent {

void GroupCandidates::Count(GroupId group, std::uint64_t activities) {
  if (group >= index_of_group_.size()) {
    index_of_group_.resize(group + 1, kNone);
  }
  if (const std::uint16_t index = index_of_group_[group]; index != kNone) {
    candidates_[index].activities += activities;
    return;
  }
  if (candidates_.size() == kMaxCandidates) {
    const std::uint64_t least = std::ranges::min(candidates_, {}, &GroupCandidate::activities).activities;
    const std::uint64_t taken = std::min(least, activities);
    ChangeAll([taken](std::uint64_t count) { return count - taken; });
    activities -= taken;
  }
  if (activities == 0) {
    return;
  }
  keys_.AddReference(group);
  index_of_group_[group] = static_cast<std::uint16_t>(candidates_.size());
  candidates_.push_back({activities, group});
}

void GroupCandidates::Halve(std::uint64_t times) {
  ChangeAll([times](std::uint64_t count) { return times < 64 ? count >> times : 0; });
}

std::uint64_t GroupCandidates::Remove(GroupId group) {
  if (group >= index_of_group_.size() || index_of_group_[group] == kNone) {
    return 0;
  }
  const std::uint64_t activities = std::exchange(candidates_[index_of_group_[group]].activities, 0);
  ChangeAll([](std::uint64_t count) { return count; });
  return activities;
}

std::optional<GroupCandidate> GroupCandidates::Busiest() const {
  const auto busiest = std::ranges::max_element(candidates_, {}, &GroupCandidate::activities);
  return busiest != candidates_.end() ? std::optional(*busiest) : std::nullopt;
}

template <typename Change>
void GroupCandidates::ChangeAll(const Change& changed) {
  std::size_t kept = 0;
  for (const GroupCandidate& candidate : candidates_) {
    const GroupId group = candidate.group;
    if (const std::uint64_t activities = changed(candidate.activities); activities != 0) {
      index_of_group_[group] = static_cast<std::uint16_t>(kept);
      candidates_[kept++] = {activities, group};
    } else {
      index_of_group_[group] = kNone;
      keys_.Release(group);
    }
  }
  candidates_.resize(kept);
}

}  // namespace procevent
