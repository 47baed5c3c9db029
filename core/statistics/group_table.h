// Counts activities by group in a bounded table.
//
// A group is a combination of label values. It gets a row with its first activity. If all rows are in use, new groups
// share the overflow row. A row that was idle for the configured time is retired: its counts are added to the retired
// counts, and it becomes free. So the sum of all rows and the retired counts never decreases. Allocates only at the
// first occurrence of attributes. A sink of Statistics. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/intern_table.h"
#include "core/statistics/counting_options.h"
#include "core/statistics/exit_reason_table.h"
#include "core/statistics/group_labels.h"
#include "core/statistics/histogram.h"
#include "core/tracker/activity.h"
#include "core/tracker/counts.h"

namespace procevent {

// A group: its labels and its counts.
struct GroupRow {
  GroupLabels labels;
  std::uint64_t serial = 0;  // number of its admission, unique in the table; 0: the row is free
  Counts counts;
  Histogram exit_codes;  // has no bounds unless CountingOptions::exit_code_by_group
  Histogram lifetimes;   // has no bounds unless CountingOptions::lifetime_by_group

  [[nodiscard]] bool in_use() const { return serial != 0; }
};

// The rows of the group table and how full it is.
struct GroupTableState {
  explicit GroupTableState(const CountingOptions& options);

  std::vector<GroupRow> rows;     // the reserved ones first
  std::uint64_t rows_in_use = 0;  // without the reserved ones
  std::uint64_t limit = 0;
  std::uint64_t overflowed = 0;  // how often a lookup found the table full
  std::uint64_t displaced = 0;   // rows that a busier group took
  Counts retired;                // of rows that were retired
};

// The group table: finds, adds and retires rows.
class GroupTable {
 public:
  explicit GroupTable(const CountingOptions& options);

  void OnAttributed(const Activity& activity);

  // Replaces the name rules. Counts that are recorded already stay in their rows.
  void SetNameGroups(NameGroups rules);

  // Sets the current time and retires idle rows. To be called regularly: rows count as used at the time set last.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] const GroupTableState& state() const { return state_; }
  [[nodiscard]] std::span<const ExitReasonCount> exit_reasons() const { return exit_reasons_.counts(); }

 private:
  // The labels of a row, interned.
  using LabelTable = InternTable<LabelValue>;
  using Key = std::array<LabelTable::Id, kGroupLabels>;

  struct RowState {
    std::uint64_t last_used_ns = 0;
    std::uint32_t generation = 1;
    Key key{};
  };
  // The row of interned attributes, as last looked up. It is current while the attributes have the same serial, and the
  // row the same generation.
  struct CachedRow {
    std::uint32_t serial = 0;  // 0: never looked up
    std::uint32_t generation = 0;
    std::uint16_t row = 0;
  };

  [[nodiscard]] std::size_t RowOf(const AttributesTable::Entry& attributes);
  [[nodiscard]] std::size_t FindOrAddRow(const Attributes& attributes);
  void CountExit(std::size_t id, const ProcessExit& exit);
  [[nodiscard]] Key Intern(const GroupLabels& labels);
  void Release(const Key& key);
  void Retire(std::size_t id);

  GroupLabeler labeler_;
  std::uint64_t retire_after_ns_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
  std::uint64_t next_serial_ = kReservedGroups + 1;
  GroupTableState state_;
  ExitReasonTable exit_reasons_;
  std::vector<RowState> row_states_;  // parallel to state_.rows
  std::vector<std::uint16_t> free_;   // ids of free rows, the lowest last
  LabelTable labels_{0};
  std::vector<CachedRow> cached_rows_;  // by AttributesId
};

}  // namespace procevent
