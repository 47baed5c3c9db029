#include "tests/core/reference/reference_statistics.h"

#include <algorithm>
#include <regex>
#include <string_view>

namespace procevent::reference {
namespace {

constexpr std::uint64_t kSlotNanos = 10'000'000;
constexpr std::uint64_t kMinuteSlots = 6000;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::size_t kMaxCandidates = 256;
constexpr std::size_t kMaxLabelBytes = 63;

std::string Escaped(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return std::string("\\x") + kDigits[byte / 16] + kDigits[byte % 16];
}

// Returns the length of the visible character at `at`, or 0 if there is none. It knows only the characters in the names
// of SimulatedHost: printable ASCII, and letters of two or three bytes.
std::size_t VisibleAt(const std::string& bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0;
  };
  const auto follows = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) < 0xC0; };
  if (byte(0) >= 0x20 && byte(0) < 0x7F) {
    return 1;
  }
  if (byte(0) >= 0xC3 && byte(0) < 0xE0 && follows(1)) {
    return 2;
  }
  return byte(0) > 0xE2 && byte(0) < 0xED && follows(1) && follows(2) ? 3 : 0;
}

std::string Visible(const std::string& bytes) {
  std::string label;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t width = VisibleAt(bytes, at);
    const std::string piece = width > 0 ? bytes.substr(at, width) : Escaped(static_cast<unsigned char>(bytes[at]));
    if (label.size() + piece.size() > kMaxLabelBytes) {
      break;
    }
    label += piece;
    at += std::max<std::size_t>(width, 1);
  }
  return label;
}

}  // namespace

void Buckets::Add(const std::vector<std::uint64_t>& upper, std::uint64_t value) {
  counts.resize(upper.size() + 1);
  std::size_t bucket = 0;
  while (bucket < upper.size() && value > upper[bucket]) {
    ++bucket;
  }
  ++counts[bucket];
  sum += std::min(value, UINT64_MAX - sum);
}

std::string LabelOf(const std::string& name, const std::vector<NameGroup>& groups) {
  for (const NameGroup& group : groups) {
    if (std::regex_match(name, std::regex(group.match))) {
      return Visible(group.name);
    }
  }
  return Visible(name);
}

ReferenceStatistics::ReferenceStatistics(const CountingOptions& options) : options_(options) {
  for (const auto bound : options.lifetime_bounds) {
    lifetime_bounds_.push_back(static_cast<std::uint64_t>(bound.count()) * 1'000'000);
  }
  for (const std::string_view name : kReservedGroupNames) {
    rows[std::string(name)];
  }
}

void ReferenceStatistics::OnActivity(const Activity& activity) {
  if (activity.at_event) {
    OnEvent(activity);
  }
  if (activity.attributed) {
    OnAttributed(activity);
  }
}

void ReferenceStatistics::OnEvent(const Activity& activity) {
  totals[activity.what] += activity.times;
  if (activity.what == CountKind::kForks) {
    rates.AddEvent(0, activity.when_ns);
  } else if (activity.what == CountKind::kExecs) {
    rates.AddEvent(1, activity.when_ns);
  } else if (activity.exit) {
    rates.AddEvent(2, activity.when_ns);
    exit_codes.Add(options_.exit_code_bounds, activity.exit->code());
    if (activity.exit->lifetime_known) {
      lifetimes.Add(lifetime_bounds_, activity.exit->lifetime_ns);
    }
  }
}

void ReferenceStatistics::OnAttributed(const Activity& activity) {
  Row& row = RowOf(activity);
  row.activities += activity.times;
  row.counts[activity.what] += activity.times;
  if (activity.exit) {
    CountExit(row, *activity.exit);
  }
}

Row& ReferenceStatistics::Reserved(ReservedGroup group) {
  return rows.at(std::string(kReservedGroupNames.at(static_cast<std::size_t>(group))));
}

Row& ReferenceStatistics::RowOf(const Activity& activity) {
  if (const auto* const group = std::get_if<ReservedGroup>(&activity.name)) {
    return Reserved(*group);
  }
  const std::string& name = std::get<std::string>(activity.name);
  if (!labels_.contains(name)) {
    labels_[name] = LabelOf(name, options_.name_groups);
  }
  const std::string& label = labels_[name];
  if (label.empty()) {
    return Reserved(ReservedGroup::kNameless);
  }
  const bool first = names_.insert(name).second;
  if (!rows.contains(label) && IsFull()) {
    overflowed += first ? 1U : 0U;
    DisplaceFor(label);
  }
  if (!rows.contains(label) && IsFull()) {
    CountCandidate(label, activity.times);
    return Reserved(ReservedGroup::kOverflow);
  }
  Row& row = rows.contains(label) ? rows.at(label) : AddRow(label);
  row.last_used_ns = now_ns_;
  return row;
}

Row& ReferenceStatistics::AddRow(const std::string& label) {
  Row row;
  row.last_used_ns = row.admitted_ns = now_ns_;
  row.admission = ++admissions_;
  for (const Candidate& candidate : candidates_) {
    row.activities += candidate.label == label ? candidate.activities : 0;
  }
  std::erase_if(candidates_, [&label](const Candidate& candidate) { return candidate.label == label; });
  return rows[label] = row;
}

void ReferenceStatistics::RemoveRow(const std::string& label) {
  for (const auto& [kind, times] : rows.at(label).counts) {
    retired[kind] += times;
  }
  rows.erase(label);
}

void ReferenceStatistics::CountCandidate(const std::string& label, std::uint64_t times) {
  for (Candidate& candidate : candidates_) {
    if (candidate.label == label) {
      candidate.activities += times;
      candidate.acted_ns = now_ns_;
      return;
    }
  }
  for (; times > 0; --times) {
    if (candidates_.size() < kMaxCandidates) {
      candidates_.push_back({label, times, now_ns_});
      return;
    }
    for (Candidate& candidate : candidates_) {
      --candidate.activities;
    }
    std::erase_if(candidates_, [](const Candidate& candidate) { return candidate.activities == 0; });
  }
}

std::uint64_t ReferenceStatistics::DisplacementsWithin(std::uint64_t duration_ns) const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(displacements_, [&](std::uint64_t at) { return at + duration_ns > now_ns_; }));
}

void ReferenceStatistics::DisplaceFor(const std::string& label) {
  const std::uint64_t limit = options_.group_limit;
  const std::uint64_t minute_limit = std::max<std::uint64_t>(limit / 10, 1);
  const std::uint64_t in_hour = DisplacementsWithin(60 * kMinute);
  const std::uint64_t in_minute = DisplacementsWithin(kMinute);
  std::uint64_t price = 10;
  for (std::uint64_t tenth = 1; tenth <= std::max(10 * in_hour / limit, 10 * in_minute / minute_limit); ++tenth) {
    price *= 3;
  }
  std::uint64_t activities = 0;
  for (const Candidate& candidate : candidates_) {
    activities += candidate.label == label ? candidate.activities : 0;
  }
  for (const Candidate& candidate : candidates_) {
    if (candidate.activities > activities && now_ns_ < candidate.acted_ns + kSecond) {
      return;
    }
  }
  if (in_hour >= limit || in_minute >= minute_limit || activities < price || now_ns_ < next_search_ns_) {
    return;
  }
  next_search_ns_ = now_ns_ + kSecond / 10;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> by_cost;  // and by admission
  for (const auto& [other, row] : rows) {
    const std::uint64_t factor = now_ns_ < row.admitted_ns + 5 * kMinute ? 10 : 2;
    if (!IsReserved(other)) {
      by_cost[{factor * row.activities, row.admission}] = other;
    }
  }
  const auto [cost, least] = *by_cost.begin();
  if (activities >= cost.first + price) {
    displacements_.push_back(now_ns_);
    ++displaced;
    RemoveRow(least);
    AddRow(label);
  }
}

void ReferenceStatistics::HalveActivities() {
  for (; halvings_ < now_ns_ / (5 * kMinute); ++halvings_) {
    for (auto& [label, row] : rows) {
      row.activities /= 2;
    }
    for (Candidate& candidate : candidates_) {
      candidate.activities /= 2;
    }
  }
  std::erase_if(candidates_, [](const Candidate& candidate) { return candidate.activities == 0; });
}

void ReferenceStatistics::CountExit(Row& row, const ExitRecord& exit) {
  row.counts[CountKind::kWithoutExec] += exit.without_exec ? 1U : 0U;
  if (options_.exit_code_by_group) {
    row.exit_codes.Add(options_.exit_code_bounds, exit.code());
  }
  if (exit.code() != 0) {
    const Reason reason = exit.signal() != 0 ? Reason(true, exit.signal()) : Reason(false, exit.status());
    const auto pairs = [&reason](const Row& of) {
      return std::ranges::count_if(of.exit_reasons,
                                   [&](const auto& entry) { return entry.first.first == reason.first; });
    };
    std::ptrdiff_t all = 0;
    for (const auto& [label, other] : rows) {
      all += pairs(other);
    }
    const auto groups = static_cast<std::ptrdiff_t>(options_.group_limit + kReservedGroups);
    const bool fits = all < (reason.first ? 1 : 3) * groups && pairs(row) < 16;
    if (row.exit_reasons.contains(reason) || fits) {
      ++row.exit_reasons[reason];
    } else {
      exit_reasons_complete = false;
    }
  }
  if (exit.lifetime_known && options_.lifetime_by_group) {
    row.lifetimes.Add(lifetime_bounds_, exit.lifetime_ns);
  }
}

// Retires idle rows at each full second.
void ReferenceStatistics::Advance(std::uint64_t now_ns) {
  rates.Advance(now_ns);
  now_ns_ = std::max(now_ns_, now_ns);
  const std::uint64_t second = now_ns_ / kSecond * kSecond;
  if (second <= last_sweep_ns_) {
    return;
  }
  last_sweep_ns_ = second;
  const auto retire_after = static_cast<std::uint64_t>(options_.group_retire_after.count()) * 1'000'000;
  for (auto row = rows.begin(); row != rows.end();) {
    const auto next = std::next(row);
    if (!IsReserved(row->first) && second >= row->second.last_used_ns + retire_after) {
      RemoveRow(row->first);
    }
    row = next;
  }
  HalveActivities();
}

void Rates::AddEvent(std::size_t kind, std::uint64_t when_ns) {
  Advance(when_ns);
  ++slots_[when_ns / kSlotNanos][kind];
}

void Rates::Advance(std::uint64_t now_ns) { newest_ = std::max(newest_, now_ns / kSlotNanos); }

std::uint64_t Rates::Highest(std::size_t kind, std::size_t width) const {
  const std::uint64_t reach = kMinuteSlots + width;
  const std::uint64_t first = newest_ > reach ? newest_ - reach : 0;
  std::vector<std::uint64_t> before{0};  // prefix sums: events in the slots from `first` on, before each slot
  auto slot = slots_.lower_bound(first);
  for (std::uint64_t at = first; at <= newest_; ++at) {
    const bool any = slot != slots_.end() && slot->first == at;
    before.push_back(before.back() + (any ? slot->second[kind] : 0));
    if (any) {
      ++slot;
    }
  }
  std::uint64_t highest = 0;
  for (std::size_t end = 1; end < before.size(); ++end) {
    if (first + end - 1 + kMinuteSlots > newest_) {
      highest = std::max(highest, before[end] - before[end > width ? end - width : 0]);
    }
  }
  return highest;
}

}  // namespace procevent::reference
