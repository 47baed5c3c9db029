// Counts activities by group in a bounded table.
//
// A group is a combination of label values. It gets a row with its first activity. If all rows are in use, new groups
// share the overflow row, until one of them is so much busier than the least active row that it displaces that row.
// A row that was idle for the configured time is retired. The counts of a displaced or retired row are added to the
// retired counts. So the sum of all rows and the retired counts never decreases, and no count of a group falls while it
// has its row.
//
// Every lookup takes the same time, whatever the number of rows. Allocates only at the first occurrence of attributes,
// and to grow. A sink of Statistics. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/statistics/counting_options.h"
#include "core/statistics/displacement_budget.h"
#include "core/statistics/exit_reason_table.h"
#include "core/statistics/group_candidates.h"
#include "core/statistics/group_labels.h"
#include "core/statistics/histogram.h"
#include "core/tracker/activity.h"
#include "core/tracker/counts.h"

namespace procevent {

// A group: its labels and its counts.
struct GroupRow {
  GroupLabels labels;
  std::uint32_t serial = 0;  // number of its admission, unique in the table; 0: the row is free
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
  Counts retired;                // of rows that were retired or displaced
};

// The group table: finds, adds, displaces and retires rows.
class GroupTable {
 public:
  explicit GroupTable(const CountingOptions& options);

  void OnAttributed(const Activity& activity);

  // Replaces the name rules. Counts that are recorded already stay in their rows.
  void SetNameGroups(NameGroups rules);

  // Raises the limit. A smaller one is ignored: no group loses its row. Allocates.
  void Grow(std::size_t limit);

  // Sets the current time and retires idle rows. To be called regularly: rows count as used at the time set last.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] const GroupTableState& state() const { return state_; }
  [[nodiscard]] std::span<const ExitReasonCount> exit_reasons() const { return exit_reasons_.counts(); }

 private:
  struct RowState {
    std::uint64_t last_used_ns = 0;
    std::uint64_t admitted_ns = 0;
    std::uint64_t activities = 0;  // halved every kHalvingPeriod
    GroupId group = kNoEntry;
  };
  // The group and the row of interned attributes, as last looked up. The group is current while the attributes and the
  // group have the same serials, and the row while it has the same serial.
  struct CachedRow {
    std::uint32_t row_serial = 0;
    std::uint32_t serial = 0;  // of the attributes; 0: never looked up
    std::uint32_t group_serial = 0;
    GroupId group = kNoEntry;
    std::uint16_t row = 0;
  };
  static constexpr std::uint16_t kNoRow = 0;  // the id of a reserved row, which no group can have

  [[nodiscard]] std::size_t RowOf(const Activity& activity);
  [[nodiscard]] std::size_t FindRow(const Activity& activity, CachedRow& cached);
  // Returns false if the attributes belong to a reserved row, which is cached then.
  [[nodiscard]] bool FindGroup(const AttributesTable::Entry& attributes, CachedRow& cached);
  void CacheRow(CachedRow& cached, std::size_t id) const;
  void CountExit(std::size_t id, const ProcessExit& exit);

  void Admit(GroupId group);
  void DisplaceFor(GroupId group);
  [[nodiscard]] std::size_t FindLeastActiveRow() const;
  [[nodiscard]] std::uint64_t ActivitiesToDisplace(std::size_t id) const;
  void AddFreeRows(std::size_t first_id);
  void Retire(std::size_t id);
  void RetireIdleRows(std::uint64_t second_ns);
  void HalveActivities();

  GroupLabeler labeler_;
  std::uint64_t retire_after_ns_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
  std::uint64_t halvings_ = 0;        // since time 0
  std::uint64_t next_search_ns_ = 0;  // for the least active row, at the earliest
  std::uint32_t next_serial_ = kReservedGroups + 1;
  GroupTableState state_;
  ExitReasonTable exit_reasons_;
  std::vector<RowState> row_states_;  // parallel to state_.rows
  std::vector<std::uint16_t> free_;   // ids of free rows, the lowest last
  GroupKeyTable keys_;                // each row and each candidate has a reference
  GroupCandidates candidates_{keys_};
  DisplacementBudget budget_;
  std::vector<std::uint16_t> row_of_group_;  // by GroupId
  std::vector<CachedRow> cached_rows_;       // by AttributesId
};

}  // namespace procevent
