#include "exporter/metrics/shown_series.h"

#include <algorithm>

#include "core/tracker/activity.h"

namespace procevent {
namespace {

constexpr bool CountsExits(CountKind kind) {
  switch (kind) {
    case CountKind::kSucceeded:
    case CountKind::kFailed:
    case CountKind::kKilled:
    case CountKind::kCoredumps:
    case CountKind::kWithoutExec:
      return true;
    default:
      return false;
  }
}

std::uint64_t CodeOf(ExitReason reason) {
  ProcessExit exit;
  (reason.killed ? exit.status.signal : exit.status.status) = reason.number;
  return ExitCodeOf(exit);
}

}  // namespace

bool HasExits(const Counts& counts) {
  return (counts[CountKind::kSucceeded] | counts[CountKind::kFailed] | counts[CountKind::kKilled] |
          counts[CountKind::kCoredumps]) != 0;
}

const ExposedGroups& ShownSeries::MakePage(const Numbers& numbers, std::uint64_t now_ns) {
  const std::vector<GroupRow>& rows = numbers.groups.rows;
  const std::span<const ExitReasonCount> pairs = numbers.exit_reasons.pairs();
  ++exposed_.page;
  now_ns_ = now_ns;
  sent_status_ = sent_.status();
  rows_.resize(rows.size());
  exposed_.rows.resize(rows.size());
  exposed_.exit_reasons.resize(pairs.size());
  for (std::size_t id = 0; id < rows.size(); ++id) {
    ExposeRow(id, rows[id]);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    exposed_.exit_reasons[i] = ExposeExitReason(pairs[i], rows[pairs[i].group].exit_codes.upper());
  }
  exposed_.pending = numbers.pending;
  for (std::size_t id = 0; id < rows.size(); ++id) {
    exposed_.pending += rows[id].counts;
    exposed_.pending -= exposed_.rows[id].counts;
  }
  return exposed_;
}

// Whether a series that is on the current page is held back there.
bool ShownSeries::IsHeld(Row& row, std::size_t series) {
  if (row.shown.test(series)) {
    return false;
  }
  const auto held = std::ranges::find(row.held, series, &HeldSeries::series);
  if (held == row.held.end() && sent_status_.any) {
    row.held.push_back({.series = series, .first_page = exposed_.page, .first_ns = now_ns_});
    return true;
  }
  if (held != row.held.end()) {
    if (held->first_page > sent_status_.shown_until && now_ns_ - held->first_ns < kMaxHoldNanos) {
      return true;
    }
    row.held.erase(held);
  }
  row.shown.set(series);
  return false;
}

void ShownSeries::ExposeRow(std::size_t id, const GroupRow& row) {
  Row& state = rows_[id];
  if (state.serial != row.serial) {
    state = {.serial = row.serial};
  }
  ExposedRow& exposed = exposed_.rows[id];
  exposed.counts = row.counts;
  exposed.exits_held = false;
  if (id >= kReservedGroups) {
    exposed.exits_held = HasExits(row.counts) && IsHeld(state, kSeriesOfExits);
    for (std::size_t i = 0; i < kCountKinds; ++i) {
      const auto kind = static_cast<CountKind>(i);
      if (exposed.counts[kind] != 0 && (CountsExits(kind) ? exposed.exits_held : IsHeld(state, i))) {
        exposed.counts[kind] = 0;
      }
    }
  }
  if (row.exit_codes.has_bounds()) {
    exposed.exit_codes = {.counts = row.exit_codes.counts(), .sum = row.exit_codes.sum()};
    if (exposed.exits_held) {
      exposed.exit_codes = {.counts = std::vector<std::uint64_t>(exposed.exit_codes.counts.size()), .sum = 0};
    }
  }
}

// Returns the exposed count of the pair. If it is held back, its exits leave the other series of its group, too.
std::uint64_t ShownSeries::ExposeExitReason(const ExitReasonCount& pair,
                                            std::span<const std::uint64_t> exit_code_bounds) {
  const ExitReason reason = pair.reason;
  if (!IsHeld(rows_[pair.group], kCountKinds + (reason.killed ? kReasons : 0) + reason.number)) {
    return pair.count;
  }
  ExposedRow& row = exposed_.rows[pair.group];
  if (row.exits_held) {
    return 0;
  }
  row.counts[reason.killed ? CountKind::kKilled : CountKind::kFailed] -= pair.count;
  row.counts[CountKind::kWithoutExec] -= pair.without_exec;
  if (!exit_code_bounds.empty()) {
    const std::uint64_t code = CodeOf(reason);
    const auto bucket = std::ranges::lower_bound(exit_code_bounds, code) - exit_code_bounds.begin();
    row.exit_codes.counts[static_cast<std::size_t>(bucket)] -= pair.count;
    row.exit_codes.sum -= code * pair.count;
  }
  return 0;
}

}  // namespace procevent
