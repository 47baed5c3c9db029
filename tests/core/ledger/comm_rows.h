// Helpers to fill a group table and to read its rows.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/ledger/comm_table.h"

namespace procevent {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

inline LedgerOptions Options(std::size_t limit, std::chrono::milliseconds retire_after = std::chrono::seconds(100)) {
  LedgerOptions options;
  options.group_limit = limit;
  options.group_retire_after = retire_after;
  return options;
}

inline void CountFork(CommTable& table, std::string_view name, CommRef& ref) {
  ++table.RowOf(CommName(name), ref).counts[CountKind::kForks];
}
inline void CountFork(CommTable& table, std::string_view name) {
  CommRef ref;
  CountFork(table, name, ref);
}

inline std::uint64_t RetiredForks(const CommTable& table) { return table.statistics().retired[CountKind::kForks]; }

inline std::uint64_t Forks(const CommTable& table, ReservedComm comm) {
  return table.statistics().rows[static_cast<std::size_t>(comm)].counts[CountKind::kForks];
}

// Returns the forks of all rows in use by label, without the reserved rows.
inline std::map<std::string, std::uint64_t> VisibleRows(const CommTable& table) {
  std::map<std::string, std::uint64_t> visible;
  for (std::size_t id = kReservedComms; id < table.statistics().rows.size(); ++id) {
    if (const CommRow& row = table.statistics().rows[id]; row.in_use) {
      EXPECT_TRUE(visible.try_emplace(std::string(row.label.view()), row.counts[CountKind::kForks]).second)
          << "two rows with one label";
    }
  }
  EXPECT_EQ(visible.size(), table.statistics().rows_in_use);
  return visible;
}

inline std::uint64_t Sum(const CommTable& table) {
  std::uint64_t sum = RetiredForks(table);
  for (const CommRow& row : table.statistics().rows) {
    sum += row.in_use ? row.counts[CountKind::kForks] : 0;
  }
  return sum;
}

}  // namespace procevent
