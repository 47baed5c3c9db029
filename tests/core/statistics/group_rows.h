// Helpers to fill a group table and to read its rows.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/statistics/group_table.h"
#include "core/tracker/activity.h"

namespace procevent {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

inline CountingOptions Options(std::size_t limit, std::chrono::milliseconds retire_after = std::chrono::seconds(100)) {
  CountingOptions options;
  options.group_limit = limit;
  options.group_retire_after = retire_after;
  return options;
}

// A group table, and the attributes of the processes that act.
class GroupTableDriver : public GroupTable {
 public:
  using GroupTable::GroupTable;

  // A process that keeps its attributes.
  class Process {
   public:
    Process(GroupTableDriver& table, const Attributes& attributes)
        : table_(table), attributes_(table.attributes_.Intern(attributes)) {}
    Process(GroupTableDriver& table, std::string_view name) : Process(table, Attributes{.comm = CommName(name)}) {}
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() { table_.attributes_.Release(attributes_); }

    void Fork(std::uint64_t times = 1) const { Act({.what = CountKind::kForks, .times = times}); }
    void Exit(const ProcessExit& exit) const { Act({.what = ExitCountKindOf(exit), .exit = &exit}); }

   private:
    void Act(Activity activity) const {
      activity.process.attributes = &table_.attributes_[attributes_];
      table_.OnAttributed(activity);
    }

    GroupTableDriver& table_;
    AttributesId attributes_;
  };
  // A process that ends after its fork.
  void CountFork(std::string_view name) { Process(*this, name).Fork(); }

 private:
  AttributesTable attributes_{16};
};

inline std::uint64_t RetiredForks(const GroupTable& table) { return table.state().retired[CountKind::kForks]; }

inline std::uint64_t Forks(const GroupTable& table, ReservedGroup group) {
  return table.state().rows[static_cast<std::size_t>(group)].counts[CountKind::kForks];
}

// Returns the forks of all rows in use by label, without the reserved rows.
inline std::map<std::string, std::uint64_t> VisibleRows(const GroupTable& table) {
  std::map<std::string, std::uint64_t> visible;
  for (std::size_t id = kReservedGroups; id < table.state().rows.size(); ++id) {
    if (const GroupRow& row = table.state().rows[id]; row.in_use()) {
      EXPECT_TRUE(visible.try_emplace(std::string(row.labels[0].view()), row.counts[CountKind::kForks]).second)
          << "two rows with one label";
    }
  }
  EXPECT_EQ(visible.size(), table.state().rows_in_use);
  return visible;
}

inline std::uint64_t Sum(const GroupTable& table) {
  std::uint64_t sum = RetiredForks(table);
  for (const GroupRow& row : table.state().rows) {
    sum += row.in_use() ? row.counts[CountKind::kForks] : 0;
  }
  return sum;
}

}  // namespace procevent
