#include "core/ledger/comm_table.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

namespace procevent {

// Searches from the lowest bound: in a storm the values are small and similar, so that the branches are predicted.
void Histogram::Add(std::uint64_t value) {
  std::size_t bucket = 0;
  while (bucket < upper_.size() && value > upper_[bucket]) {
    ++bucket;
  }
  ++counts_[bucket];
  sum_ = SaturatingSum(sum_, value);
}

void Histogram::Clear() {
  std::ranges::fill(counts_, 0);
  sum_ = 0;
}

std::uint64_t Histogram::count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

namespace {

constexpr std::size_t kLookupSets = 1024;  // a power of two: the hash is reduced without a division
constexpr std::uint64_t kSweepIntervalNanos = 1'000'000'000;

}  // namespace

CommStatistics::CommStatistics(const LedgerOptions& options) : limit(options.group_limit) {
  CommRow row;
  if (options.exit_code_by_group) {
    row.exit_codes = Histogram(options.exit_code_bounds);
  }
  if (options.lifetime_by_group) {
    row.lifetimes = Histogram(LifetimeBounds(options));
  }
  rows.assign(kReservedComms + options.group_limit, row);
  for (std::size_t id = 0; id < kReservedComms; ++id) {
    rows[id].label = CommLabel(kReservedCommNames.at(id));
    rows[id].in_use = true;
  }
}

CommTable::CommTable(const LedgerOptions& options)
    : groups_(options.name_groups),
      retire_after_ns_(static_cast<std::uint64_t>(std::chrono::nanoseconds(options.group_retire_after).count())),
      statistics_(options),
      exit_reasons_(statistics_.rows.size()),
      row_states_(statistics_.rows.size()),
      lookup_cache_(kLookupSets) {
  free_.reserve(options.group_limit);
  for (std::size_t id = statistics_.rows.size(); id-- > kReservedComms;) {
    free_.push_back(static_cast<std::uint16_t>(id));
  }
}

CommRow& CommTable::RowOf(const CommName& name, CommRef& ref) {
  if (!IsCurrent(ref)) {
    ref = Find(name);
  }
  row_states_[ref.id].last_used_ns = now_ns_;
  return statistics_.rows[ref.id];
}

CommRef CommTable::Find(const CommName& name) {
  CachedLookupSet& set = lookup_cache_[name.hash() % kLookupSets];
  const auto cached =
      std::ranges::find_if(set, [&](const CachedLookup& other) { return other.name == name && IsCurrent(other.ref); });
  if (cached != set.end()) {
    return cached->ref;
  }
  std::shift_right(set.begin(), set.end(), 1);
  set.front() = {name, FindOrAddRow(groups_.LabelOf(name))};
  return set.front().ref;
}

// A linear search is sufficient: it runs only for names that are not in the lookup cache.
CommRef CommTable::FindOrAddRow(const CommLabel& label) {
  if (label.view().empty()) {
    return RefTo(ReservedComm::kNameless);
  }
  const std::size_t hash = std::hash<std::string_view>()(label.view());
  for (std::size_t id = kReservedComms; id < row_states_.size(); ++id) {
    if (row_states_[id].label_hash == hash && statistics_.rows[id].in_use && statistics_.rows[id].label == label) {
      return RefTo(id);
    }
  }
  if (free_.empty()) {
    ++statistics_.overflowed;
    return RefTo(ReservedComm::kOverflow);
  }
  const std::size_t id = free_.back();
  free_.pop_back();
  row_states_[id].label_hash = hash;
  statistics_.rows[id].label = label;
  statistics_.rows[id].in_use = true;
  ++statistics_.rows_in_use;
  return RefTo(id);
}

// Advances the generations of all rows that a name can lead to, so that every name is looked up again.
void CommTable::SetNameGroups(NameGroups groups) {
  groups_ = std::move(groups);
  for (RowState& state : std::span(row_states_).subspan(kReservedComms)) {
    ++state.generation;
  }
  for (const ReservedComm comm : {ReservedComm::kNameless, ReservedComm::kOverflow}) {
    ++row_states_[static_cast<std::size_t>(comm)].generation;
  }
}

// Rows are retired as of full seconds of the events' clock, and the free row with the lowest id is used first. So the
// result does not depend on how often this is called, and a replay gives the same rows as the recording.
void CommTable::Advance(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  const std::uint64_t sweep = now_ns_ - now_ns_ % kSweepIntervalNanos;
  if (sweep <= last_sweep_ns_) {
    return;
  }
  last_sweep_ns_ = sweep;
  const std::uint64_t in_use = statistics_.rows_in_use;
  for (std::size_t id = kReservedComms; id < statistics_.rows.size(); ++id) {
    if (statistics_.rows[id].in_use && row_states_[id].last_used_ns + retire_after_ns_ <= sweep) {
      Retire(id);
    }
  }
  if (statistics_.rows_in_use != in_use) {
    exit_reasons_.EraseGroups([this](std::size_t id) { return !statistics_.rows[id].in_use; });
    std::ranges::sort(free_, std::greater());
  }
}

// References to this row, and to the overflow row, are not current any more. Their names are looked up again, and names
// that had overflowed may get the row that is free now.
void CommTable::Retire(std::size_t id) {
  CommRow& row = statistics_.rows[id];
  statistics_.retired += row.counts;
  row.counts = {};
  row.exit_codes.Clear();
  row.lifetimes.Clear();
  row.in_use = false;
  --statistics_.rows_in_use;
  ++row_states_[id].generation;
  ++row_states_[static_cast<std::size_t>(ReservedComm::kOverflow)].generation;
  free_.push_back(static_cast<std::uint16_t>(id));
}

}  // namespace procevent
