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
  std::uint64_t admitted_ns = 0;
  std::uint64_t admission = 0;   // its number
  std::uint64_t activities = 0;  // halved every five minutes
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

// A label without a row, and a lower bound of its activities.
struct Candidate {
  std::string label;
  std::uint64_t activities = 0;
  std::uint64_t acted_ns = 0;  // at last
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
  std::uint64_t displaced = 0;
  Buckets exit_codes;
  Buckets lifetimes;
  CountMap retired;
  bool exit_reasons_complete = true;  // no exit found its bound of pairs reached

 private:
  void OnEvent(const Activity& activity);
  void OnAttributed(const Activity& activity);
  void CountExit(Row& row, const ExitRecord& exit);
  Row& Reserved(ReservedGroup group);
  Row& RowOf(const Activity& activity);
  [[nodiscard]] bool IsFull() const { return rows.size() == options_.group_limit + kReservedGroups; }
  Row& AddRow(const std::string& label);
  void RemoveRow(const std::string& label);
  void CountCandidate(const std::string& label, std::uint64_t times);
  void DisplaceFor(const std::string& label);
  [[nodiscard]] std::uint64_t DisplacementsWithin(std::uint64_t duration_ns) const;
  void HalveActivities();

  CountingOptions options_;
  std::vector<std::uint64_t> lifetime_bounds_;
  std::map<std::string, std::string> labels_;  // cached by name, since regular expressions are slow
  std::set<std::string> names_;                // that occurred
  std::vector<Candidate> candidates_;
  std::vector<std::uint64_t> displacements_;  // times
  std::uint64_t admissions_ = 0;
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
  std::uint64_t next_search_ns_ = 0;
  std::uint64_t halvings_ = 0;
};

}  // namespace procevent::reference
