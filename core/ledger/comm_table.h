// Counts by command name in a bounded group table, whose rows become the per-command series of /metrics.
//
// A name gets a row when something is first counted under it. If all rows are in use, new names share the overflow row.
// A row that was idle for the configured time is retired: its counts are added to the retired counts, and it becomes
// free. So the sum of all rows and the retired counts never decreases. Owned by Statistics. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/ledger/counts.h"
#include "core/ledger/exit_reason_table.h"
#include "core/ledger/group_name.h"
#include "core/ledger/ledger_options.h"

namespace procevent {

// The sum of two values, or the maximum if it does not fit. A sum of hostile values must stop there: a counter that
// falls reads as a restart.
constexpr std::uint64_t SaturatingSum(std::uint64_t left, std::uint64_t right) {
  return right > UINT64_MAX - left ? UINT64_MAX : left + right;
}

// A histogram whose bounds are set at construction. Add allocates nothing. The sum saturates.
class Histogram {
 public:
  Histogram() = default;
  // Upper bounds, inclusive (le), ascending. One more bucket counts values above the last bound.
  explicit Histogram(std::span<const std::uint64_t> upper)
      : upper_(upper.begin(), upper.end()), counts_(upper.size() + 1) {}

  void Add(std::uint64_t value);
  void Clear();

  [[nodiscard]] bool has_bounds() const { return !upper_.empty(); }
  [[nodiscard]] const std::vector<std::uint64_t>& upper() const { return upper_; }
  // Per bucket, not cumulative; the last one is +Inf.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t count() const;

  bool operator==(const Histogram&) const = default;

 private:
  std::vector<std::uint64_t> upper_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
};

// A cached reference to the row of a name. It is current as long as the row has the same generation.
struct CommRef {
  std::uint16_t id = 0;
  std::uint32_t generation = 0;  // 0: never looked up
  bool operator==(const CommRef&) const = default;
};

// A group: one label and its counts.
struct CommRow {
  CommLabel label;
  bool in_use = false;
  Counts counts;
  Histogram exit_codes;  // has no bounds unless LedgerOptions::exit_code_by_group
  Histogram lifetimes;   // has no bounds unless LedgerOptions::lifetime_by_group
};

// The rows of the group table and how full it is.
struct CommStatistics {
  explicit CommStatistics(const LedgerOptions& options);

  std::vector<CommRow> rows;      // the reserved ones first
  std::uint64_t rows_in_use = 0;  // without the reserved ones
  std::uint64_t limit = 0;
  std::uint64_t overflowed = 0;  // how often a lookup found the table full
  Counts retired;                // of rows that were retired
};

// The group table: finds, adds and retires rows.
class CommTable {
 public:
  explicit CommTable(const LedgerOptions& options);

  static CommRef Reserved(ReservedComm comm) { return {static_cast<std::uint16_t>(comm), 1}; }

  // Returns the row of a name. `ref` is the reference that the caller got at its previous call, and is updated. While
  // it is current, the name is not looked up.
  CommRow& RowOf(const CommName& name, CommRef& ref);
  // Counts a failed or killed process of the row that RowOf returned with `ref`.
  void CountExitReason(CommRef ref, ExitReason reason, std::int32_t pid) { exit_reasons_.Count(ref.id, reason, pid); }

  // Replaces the name rules. Counts that are recorded already stay in their rows.
  void SetNameGroups(NameGroups groups);

  // Sets the current time and retires idle rows. To be called regularly: rows count as used at the time set last.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] const CommStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::span<const ExitReasonCount> exit_reasons() const { return exit_reasons_.counts(); }

 private:
  struct RowState {
    std::uint32_t generation = 1;
    std::uint64_t last_used_ns = 0;
    std::size_t label_hash = 0;
  };
  struct CachedLookup {
    CommName name;
    CommRef ref;
  };

  using CachedLookupSet = std::array<CachedLookup, 4>;

  [[nodiscard]] bool IsCurrent(CommRef ref) const { return ref.generation == row_states_[ref.id].generation; }
  [[nodiscard]] CommRef RefTo(std::size_t id) const {
    return {static_cast<std::uint16_t>(id), row_states_[id].generation};
  }
  [[nodiscard]] CommRef RefTo(ReservedComm comm) const { return RefTo(static_cast<std::size_t>(comm)); }
  CommRef Find(const CommName& name);
  CommRef FindOrAddRow(const CommLabel& label);
  void Retire(std::size_t id);

  NameGroups groups_;
  std::uint64_t retire_after_ns_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
  CommStatistics statistics_;
  ExitReasonTable exit_reasons_;
  std::vector<RowState> row_states_;           // parallel to statistics_.rows
  std::vector<std::uint16_t> free_;            // ids of free rows, the lowest last
  std::vector<CachedLookupSet> lookup_cache_;  // recent lookups, set-associative by the hash of the name
};

}  // namespace procevent
