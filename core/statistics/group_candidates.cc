#include "core/statistics/group_candidates.h"

#include <algorithm>

namespace procevent {

void GroupCandidates::Count(GroupId group, std::uint64_t activities, std::uint64_t now_ns) {
  if (group >= index_of_group_.size()) {
    index_of_group_.resize(group + 1, kNone);
  }
  if (const std::uint16_t index = index_of_group_[group]; index != kNone) {
    candidates_[index].activities += activities;
    candidates_[index].acted_ns = now_ns;
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
  candidates_.push_back({activities, now_ns, group});
}

void GroupCandidates::Halve(std::uint64_t times) {
  ChangeAll([times](std::uint64_t count) { return times < 64 ? count >> times : 0; });
}

std::uint64_t GroupCandidates::ActivitiesOf(GroupId group) const {
  const bool is_candidate = group < index_of_group_.size() && index_of_group_[group] != kNone;
  return is_candidate ? candidates_[index_of_group_[group]].activities : 0;
}

bool GroupCandidates::IsBusiestOfTheActive(GroupId group, std::uint64_t now_ns) const {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::uint64_t activities = ActivitiesOf(group);
  return std::ranges::none_of(candidates_, [&](const GroupCandidate& other) {
    return other.activities > activities && now_ns < other.acted_ns + kSecond;
  });
}

std::uint64_t GroupCandidates::Remove(GroupId group) {
  const std::uint64_t activities = ActivitiesOf(group);
  if (activities != 0) {
    candidates_[index_of_group_[group]].activities = 0;
    ChangeAll([](std::uint64_t count) { return count; });
  }
  return activities;
}

template <typename Change>
void GroupCandidates::ChangeAll(const Change& changed) {
  std::size_t kept = 0;
  for (GroupCandidate candidate : candidates_) {
    candidate.activities = changed(candidate.activities);
    if (candidate.activities != 0) {
      index_of_group_[candidate.group] = static_cast<std::uint16_t>(kept);
      candidates_[kept++] = candidate;
    } else {
      index_of_group_[candidate.group] = kNone;
      keys_.Release(candidate.group);
    }
  }
  candidates_.resize(kept);
}

}  // namespace procevent
