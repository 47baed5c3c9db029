#include "core/ledger/comm_table.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

namespace procevent {

// From below: what is added in a storm is small and alike, so the branches are foreseen.
void Histogram::Add(std::uint64_t value) {
  std::size_t bucket = 0;
  while (bucket < upper_.size() && value > upper_[bucket]) {
    ++bucket;
  }
  ++counts_[bucket];
  sum_ += value;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus<>());
  sum_ += other.sum_;
  return *this;
}

void Histogram::Clear() {
  std::ranges::fill(counts_, 0);
  sum_ = 0;
}

std::uint64_t Histogram::count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

namespace {

constexpr std::size_t kKnownSets = 1024;  // a power of two
constexpr std::uint64_t kSweepInterval = 1'000'000'000;

}  // namespace

CommStatistics::CommStatistics(const LedgerOptions& options) : limit(options.comm_limit) {
  CommRow row;
  if (options.exit_code_by_comm) {
    row.exit_codes = Histogram(options.exit_code_bounds);
  }
  if (options.lifetime_by_comm) {
    row.lifetimes = Histogram(LifetimeBounds(options));
  }
  rows.assign(kReservedComms + options.comm_limit, row);
  for (std::size_t id = 0; id < kReservedComms; ++id) {
    rows[id].label = CommLabel(kReservedCommNames.at(id));
    rows[id].in_use = true;
  }
}

CommTable::CommTable(const LedgerOptions& options)
    : groups_(options.name_groups),
      retire_after_ns_(static_cast<std::uint64_t>(std::chrono::nanoseconds(options.comm_retire_after).count())),
      numbers_(options),
      keeping_(numbers_.rows.size()),
      known_(kKnownSets) {
  free_.reserve(options.comm_limit);
  for (std::size_t id = numbers_.rows.size(); id-- > kReservedComms;) {
    free_.push_back(static_cast<std::uint16_t>(id));
  }
}

CommRow& CommTable::RowOf(const CommName& name, CommRef& ref) {
  if (!Holds(ref)) {
    ref = Find(name);
  }
  keeping_[ref.id].used_ns = now_ns_;
  return numbers_.rows[ref.id];
}

CommRef CommTable::Find(const CommName& name) {
  CachedLookupSet& set = known_[name.hash() % kKnownSets];
  const auto known =
      std::ranges::find_if(set, [&](const CachedLookup& other) { return other.name == name && Holds(other.ref); });
  if (known != set.end()) {
    return known->ref;
  }
  std::shift_right(set.begin(), set.end(), 1);
  set.front() = {name, FindLabel(groups_.LabelOf(name))};
  return set.front().ref;
}

// Only for names that are not known, so it may take its time.
CommRef CommTable::FindLabel(const CommLabel& label) {
  if (label.view().empty()) {
    return RefTo(ReservedComm::kNameless);
  }
  const std::size_t hash = std::hash<std::string_view>()(label.view());
  for (std::size_t id = kReservedComms; id < keeping_.size(); ++id) {
    if (keeping_[id].label_hash == hash && numbers_.rows[id].in_use && numbers_.rows[id].label == label) {
      return RefTo(id);
    }
  }
  if (free_.empty()) {
    ++numbers_.overflowed;
    return RefTo(ReservedComm::kOverflow);
  }
  const std::size_t id = free_.back();
  free_.pop_back();
  keeping_[id].label_hash = hash;
  numbers_.rows[id].label = label;
  numbers_.rows[id].in_use = true;
  ++numbers_.rows_in_use;
  return RefTo(id);
}

// No ref that a name led to holds any longer.
void CommTable::SetNameGroups(NameGroups groups) {
  groups_ = std::move(groups);
  for (RowState& keeping : std::span(keeping_).subspan(kReservedComms)) {
    ++keeping.generation;
  }
  for (const ReservedComm comm : {ReservedComm::kNameless, ReservedComm::kOverflow}) {
    ++keeping_[static_cast<std::size_t>(comm)].generation;
  }
}

// At the full seconds of the events' clock, and the first row that is free is the next to be taken: so it does not
// depend on how often this is called who is retired, and where who comes.
void CommTable::Advance(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  const std::uint64_t sweep = now_ns_ - now_ns_ % kSweepInterval;
  if (sweep <= swept_ns_) {
    return;
  }
  swept_ns_ = sweep;
  for (std::size_t id = kReservedComms; id < numbers_.rows.size(); ++id) {
    if (numbers_.rows[id].in_use && keeping_[id].used_ns + retire_after_ns_ <= sweep) {
      Retire(id);
    }
  }
  std::ranges::sort(free_, std::greater());
}

// Whoever still goes by this name, or by the row of those that found none, has it looked up again.
void CommTable::Retire(std::size_t id) {
  CommRow& row = numbers_.rows[id];
  CommRow& retired = numbers_.rows[static_cast<std::size_t>(ReservedComm::kRetired)];
  retired.counts += row.counts;
  retired.exit_codes += row.exit_codes;
  retired.lifetimes += row.lifetimes;
  row.counts = {};
  row.exit_codes.Clear();
  row.lifetimes.Clear();
  row.in_use = false;
  --numbers_.rows_in_use;
  ++keeping_[id].generation;
  ++keeping_[static_cast<std::size_t>(ReservedComm::kOverflow)].generation;
  free_.push_back(static_cast<std::uint16_t>(id));
}

}  // namespace procevent
