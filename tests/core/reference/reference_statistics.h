// Counts the activities of the reference tracker in maps by name. It shares plain types with the statistics, but no
// code.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/statistics/counting_options.h"
#include "core/statistics/group_name.h"
#include "tests/core/reference/reference_activity.h"

namespace procevent::reference {

// A histogram whose bounds are passed to Add.
struct Buckets {
  std::vector<std::uint64_t> counts;
  std::uint64_t sum = 0;

  void Add(const std::vector<std::uint64_t>& upper, std::uint64_t value);
  bool operator==(const Buckets&) const = default;
};

// A signal with true, or a status with false.
using Reason = std::pair<bool, std::uint32_t>;

struct Row {
  CountMap counts;
  std::map<Reason, std::uint64_t> exit_reasons;
  Buckets exit_codes;
  Buckets lifetimes;
  std::uint64_t last_used_ns = 0;
};

// The slow and obvious counterpart of Peaks: keeps all events ever counted, in slots of 10 ms.
class Rates {
 public:
  void AddEvent(std::size_t kind, std::uint64_t when_ns);
  void Advance(std::uint64_t now_ns);
  // Returns the maximum number of events in any `width` slots that end in the last minute.
  [[nodiscard]] std::uint64_t Highest(std::size_t kind, std::size_t width) const;

 private:
  std::map<std::uint64_t, std::array<std::uint64_t, 3>> slots_;
  std::uint64_t newest_ = 0;
};

std::string LabelOf(const std::string& name, const std::vector<NameGroup>& groups);

// The slow and obvious counterpart of Statistics.
class ReferenceStatistics {
 public:
  explicit ReferenceStatistics(const CountingOptions& options);

  void OnActivity(const Activity& activity);
  void Advance(std::uint64_t now_ns);

  CountMap totals;
  Rates rates;
  std::map<std::string, Row> rows;
  std::uint64_t overflowed = 0;
  Buckets exit_codes;
  Buckets lifetimes;
  CountMap retired;
  bool exit_reasons_complete = true;  // no exit found its bound of pairs reached

 private:
  void OnEvent(const Activity& activity);
  void OnAttributed(const Activity& activity);
  void CountExit(Row& row, const ExitRecord& exit);
  Row& Reserved(ReservedGroup group);
  Row& RowOf(const NameOrReserved& name);

  CountingOptions options_;
  std::vector<std::uint64_t> lifetime_bounds_;
  std::map<std::string, std::string> labels_;  // cached by name, since regular expressions are slow
  std::set<std::string> overflowing_;          // names that found the table full since a row was last retired
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
};

}  // namespace procevent::reference
