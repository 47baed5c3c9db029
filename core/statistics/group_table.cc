#include "core/statistics/group_table.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

namespace procevent {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kFirstCachedRows = 1024;
constexpr std::size_t kMaxUnusedGroups = 1024;  // labels without a row that are kept in case their group acts again

// Activities are compared over the last minutes: long enough that a command which runs once a minute keeps its row, and
// a storm exceeds any row within seconds.
constexpr std::uint64_t kHalvingPeriod = 300 * kSecond;
// The search for the least active row takes time in proportion to the limit.
constexpr std::uint64_t kSearchInterval = kSecond / 10;
// A new group shall not lose its row before its activity is known.
constexpr std::uint64_t kProtectedTime = 300 * kSecond;
constexpr std::uint64_t kFactorToDisplace = 2;
constexpr std::uint64_t kFactorToDisplaceProtected = 10;

constexpr std::size_t IdOf(ReservedGroup group) { return static_cast<std::size_t>(group); }

GroupRow MakeBlankRow(const CountingOptions& options) {
  GroupRow row;
  if (options.exit_code_by_group) {
    row.exit_codes = Histogram(options.exit_code_bounds);
  }
  if (options.lifetime_by_group) {
    row.lifetimes = Histogram(LifetimeBounds(options));
  }
  return row;
}

void ClearCounts(GroupRow& row) {
  row.counts = {};
  row.exit_codes.Clear();
  row.lifetimes.Clear();
}

}  // namespace

GroupTableState::GroupTableState(const CountingOptions& options)
    : rows(kReservedGroups + options.group_limit, MakeBlankRow(options)), limit(options.group_limit) {
  for (std::size_t id = 0; id < kReservedGroups; ++id) {
    rows[id].labels = GroupLabeler::LabelsOf(static_cast<ReservedGroup>(id));
    rows[id].serial = static_cast<std::uint32_t>(id + 1);
  }
}

GroupTable::GroupTable(const CountingOptions& options)
    : labeler_(NameGroups(options.name_groups)),
      retire_after_ns_(static_cast<std::uint64_t>(std::chrono::nanoseconds(options.group_retire_after).count())),
      state_(options),
      exit_reasons_(state_.rows.size()),
      row_states_(state_.rows.size()),
      keys_(kMaxUnusedGroups),
      budget_(options.group_limit),
      cached_rows_(kFirstCachedRows) {
  AddFreeRows(kReservedGroups);
}

void GroupTable::AddFreeRows(std::size_t first_id) {
  free_.reserve(state_.limit);
  for (std::size_t id = first_id; id < state_.rows.size(); ++id) {
    free_.push_back(static_cast<std::uint16_t>(id));
  }
  std::ranges::sort(free_, std::greater());
}

void GroupTable::Grow(std::size_t limit) {
  if (limit <= state_.limit) {
    return;
  }
  const std::size_t first_id = state_.rows.size();
  GroupRow blank = state_.rows.front();
  ClearCounts(blank);
  blank.labels = {};
  blank.serial = 0;
  state_.rows.resize(kReservedGroups + limit, blank);
  state_.limit = limit;
  row_states_.resize(state_.rows.size());
  exit_reasons_.Grow(state_.rows.size());
  budget_.Grow(limit);
  AddFreeRows(first_id);
}

void GroupTable::OnAttributed(const Activity& activity) {
  const std::size_t id = RowOf(activity);
  row_states_[id].last_used_ns = now_ns_;
  row_states_[id].activities += activity.times;
  state_.rows[id].counts[activity.what] += activity.times;
  if (activity.exit != nullptr) {
    CountExit(id, *activity.exit);
  }
}

void GroupTable::CountExit(std::size_t id, const ProcessExit& exit) {
  GroupRow& row = state_.rows[id];
  row.counts[CountKind::kWithoutExec] += exit.without_exec ? 1 : 0;
  if (row.exit_codes.has_bounds()) {
    row.exit_codes.Add(ExitCodeOf(exit));
  }
  if (row.lifetimes.has_bounds() && exit.lifetime_known) {
    row.lifetimes.Add(exit.lifetime_ns);
  }
  exit_reasons_.Count(static_cast<std::uint16_t>(id), exit);
}

std::size_t GroupTable::RowOf(const Activity& activity) {
  const AttributesTable::Entry& attributes = *activity.process.attributes;
  if (attributes.id >= cached_rows_.size()) {
    cached_rows_.resize(attributes.id + 1);
  }
  CachedRow& cached = cached_rows_[attributes.id];
  if (cached.serial == attributes.serial && cached.row_serial == state_.rows[cached.row].serial) {
    return cached.row;
  }
  return FindRow(activity, cached);
}

std::size_t GroupTable::FindRow(const Activity& activity, CachedRow& cached) {
  if (!FindGroup(*activity.process.attributes, cached)) {
    return cached.row;
  }
  std::uint16_t& row = row_of_group_[cached.group];
  if (row == kNoRow && !free_.empty()) {
    Admit(cached.group);
  }
  if (row == kNoRow) {
    DisplaceFor(cached.group);
  }
  if (row == kNoRow) {
    candidates_.Count(cached.group, activity.times, now_ns_);
    return IdOf(ReservedGroup::kOverflow);
  }
  CacheRow(cached, row);
  return row;
}

bool GroupTable::FindGroup(const AttributesTable::Entry& attributes, CachedRow& cached) {
  if (cached.serial == attributes.serial && cached.group != kNoEntry &&
      cached.group_serial == keys_[cached.group].serial) {
    return true;
  }
  cached = {.serial = attributes.serial};
  const GroupKey key{labeler_.LabelsOf(attributes.value)};
  if (const auto reserved = GroupLabeler::ReservedGroupOf(attributes.value, key.labels)) {
    CacheRow(cached, IdOf(*reserved));
    return false;
  }
  cached.group = keys_.Intern(key);
  cached.group_serial = keys_[cached.group].serial;
  keys_.Release(cached.group);  // without a row it has no other reference
  if (cached.group >= row_of_group_.size()) {
    row_of_group_.resize(cached.group + 1, kNoRow);
  }
  if (row_of_group_[cached.group] == kNoRow && free_.empty()) {
    ++state_.overflowed;
  }
  return true;
}

void GroupTable::CacheRow(CachedRow& cached, std::size_t id) const {
  cached.row = static_cast<std::uint16_t>(id);
  cached.row_serial = state_.rows[id].serial;
}

// Requires a free row.
void GroupTable::Admit(GroupId group) {
  const std::size_t id = free_.back();
  free_.pop_back();
  keys_.AddReference(group);
  row_of_group_[group] = static_cast<std::uint16_t>(id);
  row_states_[id] = {
      .last_used_ns = now_ns_, .admitted_ns = now_ns_, .activities = candidates_.Remove(group), .group = group};
  state_.rows[id].labels = keys_[group].value.labels;
  state_.rows[id].serial = next_serial_++;
  ++state_.rows_in_use;
}

// Gives the row of the least active group to this one, if it is busy enough.
void GroupTable::DisplaceFor(GroupId group) {
  if (now_ns_ < next_search_ns_) {
    return;
  }
  const std::uint64_t activities = candidates_.ActivitiesOf(group);
  const auto price = budget_.PriceAt(now_ns_);
  if (!price || activities < *price || !candidates_.IsBusiestOfTheActive(group, now_ns_)) {
    return;
  }
  next_search_ns_ = now_ns_ + kSearchInterval;
  const std::size_t least = FindLeastActiveRow();
  if (activities < ActivitiesToDisplace(least) + *price) {
    return;
  }
  budget_.Record(now_ns_);
  ++state_.displaced;
  Retire(least);
  exit_reasons_.EraseGroups([least](std::size_t id) { return id == least; });
  Admit(group);
}

// The row that is displaced most easily. Of equal rows this is the one that was admitted first.
std::size_t GroupTable::FindLeastActiveRow() const {
  std::size_t least = kReservedGroups;
  auto lowest = std::pair(UINT64_MAX, UINT32_MAX);
  for (std::size_t id = kReservedGroups; id < state_.rows.size(); ++id) {
    if (const auto rank = std::pair(ActivitiesToDisplace(id), state_.rows[id].serial); rank < lowest) {
      lowest = rank;
      least = id;
    }
  }
  return least;
}

std::uint64_t GroupTable::ActivitiesToDisplace(std::size_t id) const {
  const RowState& row = row_states_[id];
  return row.activities * (now_ns_ < row.admitted_ns + kProtectedTime ? kFactorToDisplaceProtected : kFactorToDisplace);
}

void GroupTable::SetNameGroups(NameGroups rules) {
  labeler_ = GroupLabeler(std::move(rules));
  std::ranges::fill(cached_rows_, CachedRow{});
}

// Rows are retired as of full seconds of the events' clock, and the free row with the lowest id is used first. So the
// result does not depend on how often this is called, and a replay gives the same rows as the recording.
void GroupTable::Advance(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  const std::uint64_t sweep = now_ns_ - now_ns_ % kSecond;
  if (sweep <= last_sweep_ns_) {
    return;
  }
  last_sweep_ns_ = sweep;
  RetireIdleRows(sweep);
  HalveActivities();
}

void GroupTable::RetireIdleRows(std::uint64_t second_ns) {
  const std::uint64_t in_use = state_.rows_in_use;
  for (std::size_t id = kReservedGroups; id < state_.rows.size(); ++id) {
    if (state_.rows[id].in_use() && row_states_[id].last_used_ns + retire_after_ns_ <= second_ns) {
      Retire(id);
    }
  }
  if (state_.rows_in_use != in_use) {
    exit_reasons_.EraseGroups([this](std::size_t id) { return !state_.rows[id].in_use(); });
    std::ranges::sort(free_, std::greater());
  }
}

void GroupTable::HalveActivities() {
  const std::uint64_t due = now_ns_ / kHalvingPeriod - halvings_;
  if (due == 0) {
    return;
  }
  halvings_ += due;
  for (RowState& row : row_states_) {
    row.activities = due < 64 ? row.activities >> due : 0;
  }
  candidates_.Halve(due);
}

// Its exit reasons are erased by the caller.
void GroupTable::Retire(std::size_t id) {
  GroupRow& row = state_.rows[id];
  state_.retired += row.counts;
  ClearCounts(row);
  row.serial = 0;
  --state_.rows_in_use;
  row_of_group_[row_states_[id].group] = kNoRow;
  keys_.Release(row_states_[id].group);
  free_.push_back(static_cast<std::uint16_t>(id));
}

}  // namespace procevent
