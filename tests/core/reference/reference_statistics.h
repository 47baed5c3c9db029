// Records the counts of the reference processor in maps by name. It shares plain types with the processor, but no code.
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
#include "core/statistics/statistics.h"

namespace procevent::reference {

using CountMap = std::map<CountKind, std::uint64_t>;

// How a process exited.
struct ExitRecord {
  std::uint32_t wait_status = 0;
  bool without_exec = false;
  bool lifetime_known = false;
  std::uint64_t lifetime_ns = 0;

  [[nodiscard]] std::uint32_t signal() const { return wait_status % 128; }
  [[nodiscard]] std::uint32_t status() const { return signal() != 0 ? 0 : wait_status / 256 % 256; }
  [[nodiscard]] std::uint64_t code() const { return signal() != 0 ? 128 + signal() : status(); }
  [[nodiscard]] CountKind outcome() const {
    return signal() != 0 ? CountKind::kKilled : status() != 0 ? CountKind::kFailed : CountKind::kSucceeded;
  }
};

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

std::string LabelOf(const std::string& name, const std::vector<NameGroup>& groups);

// The slow and obvious counterpart of Statistics: rows by label, and exit statistics.
class ReferenceStatistics {
 public:
  explicit ReferenceStatistics(const CountingOptions& options);

  void Record(const std::string& name, CountKind kind, std::uint64_t times = 1) { RowOf(name).counts[kind] += times; }
  void Record(const std::string& name, const ExitRecord& exit) { Record(RowOf(name), exit); }
  void Record(ReservedGroup comm, CountKind kind, std::uint64_t times = 1) { Reserved(comm).counts[kind] += times; }
  void Record(ReservedGroup comm, const ExitRecord& exit) { Record(Reserved(comm), exit); }
  void Advance(std::uint64_t now_ns);

  std::map<std::string, Row> rows;
  std::uint64_t overflowed = 0;
  Buckets exit_codes;
  Buckets lifetimes;
  CountMap retired;
  bool exit_reasons_complete = true;  // no exit found its bound of pairs reached

 private:
  Row& Reserved(ReservedGroup comm);
  Row& RowOf(const std::string& name);
  void Record(Row& row, const ExitRecord& exit);

  CountingOptions options_;
  std::vector<std::uint64_t> lifetime_bounds_;
  std::map<std::string, std::string> labels_;  // cached by name, since regular expressions are slow
  std::set<std::string> overflowing_;          // names that found the table full since a row was last retired
  std::uint64_t now_ns_ = 0;
  std::uint64_t last_sweep_ns_ = 0;
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

}  // namespace procevent::reference
