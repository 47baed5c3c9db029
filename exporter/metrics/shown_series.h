// Decides which counts of groups a page exposes: a series that appears is exposed as 0 until scrapes have shown it.
//
// rate() and increase() see nothing of a series' first value. So a new series is on its first page as 0, and its counts
// are held back until the required number of complete scrapes has shown the 0, or kMaxHoldNanos has passed. Held-back
// counts are pending, so each page adds up. A series that was on a page before the first complete scrape is exempt.
// Once a series has shown its counts, it always does, until its row is given to another group.
//
// One thread at a time makes pages. Any number of threads may record sent pages at once. Owned by MetricsCollector.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/system.h"
#include "core/reader/numbers.h"
#include "core/statistics/exit_reason_table.h"
#include "core/statistics/group_table.h"
#include "core/tracker/counts.h"
#include "exporter/metrics/sent_pages.h"

namespace procevent {

// Whether a group has series of exits. They appear together, so that the first failure of a command is an increase.
[[nodiscard]] bool HasExits(const Counts& counts);

// The counts of a histogram with bounds, by bucket.
struct ExposedHistogram {
  std::vector<std::uint64_t> counts;
  std::uint64_t sum = 0;
};

// The counts that a page exposes for a row of the group table.
struct ExposedRow {
  Counts counts;
  bool exits_held = false;      // all series of its exits are 0
  ExposedHistogram exit_codes;  // empty unless counted by group
};

// The counts that a page exposes. Series exist as the true counts say.
struct ExposedGroups {
  std::uint64_t page = 0;
  std::vector<ExposedRow> rows;             // parallel to GroupTableState::rows
  std::vector<std::uint64_t> exit_reasons;  // parallel to Numbers::exit_reasons
  Counts pending;                           // with all counts that are held back
};

class ShownSeries {
 public:
  static constexpr std::uint64_t kMaxHoldNanos = 60 * kNanosPerSecond;

  // `first_scrapes`: the number of complete scrapes that show a new series as 0, at least 1.
  explicit ShownSeries(unsigned first_scrapes) : sent_(first_scrapes) {}

  // Begins the next page at `now_ns` (CLOCK_MONOTONIC). The result is valid until the next call.
  const ExposedGroups& MakePage(const Numbers& numbers, std::uint64_t now_ns);
  // The page was sent: the kernel has accepted its last byte. Thread-safe.
  void RecordSent(std::uint64_t page) { sent_.Record(page); }

 private:
  // The series of a row by index: those of a kind of count at its number, all series of exits at that of kSucceeded,
  // and those of exit reasons, first statuses, then signals.
  static constexpr std::size_t kSeriesOfExits = static_cast<std::size_t>(CountKind::kSucceeded);
  static constexpr std::size_t kReasons = 256;
  static constexpr std::size_t kSeriesOfRow = kCountKinds + 2 * kReasons;

  struct HeldSeries {
    std::size_t series = 0;
    std::uint64_t first_page = 0;
    std::uint64_t first_ns = 0;
  };
  struct Row {
    std::uint32_t serial = 0;  // of the group that has the row
    std::bitset<kSeriesOfRow> shown = {};
    std::vector<HeldSeries> held = {};
  };

  [[nodiscard]] bool IsHeld(Row& row, std::size_t series);
  void ExposeRow(std::size_t id, const GroupRow& row);
  [[nodiscard]] std::uint64_t ExposeExitReason(const ExitReasonCount& pair,
                                               std::span<const std::uint64_t> exit_code_bounds);

  SentPages sent_;
  SentPages::Status sent_status_;  // as of the current page
  std::uint64_t now_ns_ = 0;
  std::vector<Row> rows_;
  ExposedGroups exposed_;
};

}  // namespace procevent
