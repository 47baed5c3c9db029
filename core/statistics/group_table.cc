#include "core/statistics/group_table.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

namespace procevent {
namespace {

constexpr std::uint64_t kSweepIntervalNanos = 1'000'000'000;
constexpr std::size_t kFirstCachedRows = 1024;

constexpr std::size_t IdOf(ReservedGroup group) { return static_cast<std::size_t>(group); }

}  // namespace

GroupTableState::GroupTableState(const CountingOptions& options) : limit(options.group_limit) {
  GroupRow row;
  if (options.exit_code_by_group) {
    row.exit_codes = Histogram(options.exit_code_bounds);
  }
  if (options.lifetime_by_group) {
    row.lifetimes = Histogram(LifetimeBounds(options));
  }
  rows.assign(kReservedGroups + options.group_limit, row);
  for (std::size_t id = 0; id < kReservedGroups; ++id) {
    rows[id].labels = GroupLabeler::LabelsOf(static_cast<ReservedGroup>(id));
    rows[id].serial = id + 1;
  }
}

GroupTable::GroupTable(const CountingOptions& options)
    : labeler_(NameGroups(options.name_groups)),
      retire_after_ns_(static_cast<std::uint64_t>(std::chrono::nanoseconds(options.group_retire_after).count())),
      state_(options),
      exit_reasons_(state_.rows.size()),
      row_states_(state_.rows.size()),
      cached_rows_(kFirstCachedRows) {
  free_.reserve(options.group_limit);
  for (std::size_t id = state_.rows.size(); id-- > kReservedGroups;) {
    free_.push_back(static_cast<std::uint16_t>(id));
  }
}

void GroupTable::OnAttributed(const Activity& activity) {
  const std::size_t id = RowOf(*activity.process.attributes);
  row_states_[id].last_used_ns = now_ns_;
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

std::size_t GroupTable::RowOf(const AttributesTable::Entry& attributes) {
  if (attributes.id >= cached_rows_.size()) {
    cached_rows_.resize(attributes.id + 1);
  }
  CachedRow& cached = cached_rows_[attributes.id];
  if (cached.serial != attributes.serial || cached.generation != row_states_[cached.row].generation) {
    const std::size_t id = FindOrAddRow(attributes.value);
    cached = {attributes.serial, row_states_[id].generation, static_cast<std::uint16_t>(id)};
  }
  return cached.row;
}

// A linear search is sufficient: it runs only for attributes whose row is not cached.
std::size_t GroupTable::FindOrAddRow(const Attributes& attributes) {
  switch (attributes.missing) {
    case Attributes::Missing::kUntracked:
      return IdOf(ReservedGroup::kUntracked);
    case Attributes::Missing::kUnattributed:
      return IdOf(ReservedGroup::kUnattributed);
    case Attributes::Missing::kNone:
      break;
  }
  const GroupLabels labels = labeler_.LabelsOf(attributes);
  if (labels.front().view().empty()) {  // the command
    return IdOf(ReservedGroup::kNameless);
  }
  const Key key = Intern(labels);
  for (std::size_t id = kReservedGroups; id < row_states_.size(); ++id) {
    if (state_.rows[id].in_use() && row_states_[id].key == key) {
      Release(key);
      return id;
    }
  }
  if (free_.empty()) {
    Release(key);
    ++state_.overflowed;
    return IdOf(ReservedGroup::kOverflow);
  }
  const std::size_t id = free_.back();
  free_.pop_back();
  row_states_[id].key = key;
  state_.rows[id].labels = labels;
  state_.rows[id].serial = next_serial_++;
  ++state_.rows_in_use;
  return id;
}

GroupTable::Key GroupTable::Intern(const GroupLabels& labels) {
  Key key;
  std::ranges::transform(labels, key.begin(), [this](const LabelValue& value) { return labels_.Intern(value); });
  return key;
}

void GroupTable::Release(const Key& key) {
  for (const LabelTable::Id id : key) {
    labels_.Release(id);
  }
}

// Advances the generations of all rows that attributes can lead to, so that each row is looked up again.
void GroupTable::SetNameGroups(NameGroups rules) {
  labeler_ = GroupLabeler(std::move(rules));
  for (RowState& state : std::span(row_states_).subspan(kReservedGroups)) {
    ++state.generation;
  }
  for (const ReservedGroup group : {ReservedGroup::kNameless, ReservedGroup::kOverflow}) {
    ++row_states_[IdOf(group)].generation;
  }
}

// Rows are retired as of full seconds of the events' clock, and the free row with the lowest id is used first. So the
// result does not depend on how often this is called, and a replay gives the same rows as the recording.
void GroupTable::Advance(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  const std::uint64_t sweep = now_ns_ - now_ns_ % kSweepIntervalNanos;
  if (sweep <= last_sweep_ns_) {
    return;
  }
  last_sweep_ns_ = sweep;
  const std::uint64_t in_use = state_.rows_in_use;
  for (std::size_t id = kReservedGroups; id < state_.rows.size(); ++id) {
    if (state_.rows[id].in_use() && row_states_[id].last_used_ns + retire_after_ns_ <= sweep) {
      Retire(id);
    }
  }
  if (state_.rows_in_use != in_use) {
    exit_reasons_.EraseGroups([this](std::size_t id) { return !state_.rows[id].in_use(); });
    std::ranges::sort(free_, std::greater());
  }
}

// Attributes that led to this row, or to the overflow row, are looked up again. Those that had overflowed may get the
// row that is free now.
void GroupTable::Retire(std::size_t id) {
  GroupRow& row = state_.rows[id];
  state_.retired += row.counts;
  row.counts = {};
  row.exit_codes.Clear();
  row.lifetimes.Clear();
  row.serial = 0;
  --state_.rows_in_use;
  Release(row_states_[id].key);
  ++row_states_[id].generation;
  ++row_states_[IdOf(ReservedGroup::kOverflow)].generation;
  free_.push_back(static_cast<std::uint16_t>(id));
}

}  // namespace procevent
