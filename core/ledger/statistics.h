// FOLDED: tally.h, histogram.h, accounts.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/ledger/comm_table.h"
#include "core/ledger/ledger_options.h"
#include "core/protocol/event.h"

namespace procevent {

// What is booked under a name, once and for good: the rows by command, and how processes ended. Every number here is
// consistent with the others after every call. Owned by the ledger; the census books.

// The end of a process.
struct ProcessExit {
  WaitStatus status;
  bool without_exec = false;    // it is known to have been forked and never to have executed anything
  bool lifetime_known = false;  // its fork was seen, so that this is known:
  std::uint64_t lifetime_ns = 0;
};

// The column that an end is counted in.
constexpr CountKind ExitCountKindOf(const ProcessExit& end) {
  return end.status.signal != 0   ? CountKind::kKilled
         : end.status.status != 0 ? CountKind::kFailed
                                  : CountKind::kSucceeded;
}

// How processes ended, whoever they were.
struct ExitStatistics {
  explicit ExitStatistics(const LedgerOptions& options);

  Histogram exit_codes;                       // status, or 128 + signal
  Histogram lifetimes;                        // nanoseconds
  std::array<std::uint64_t, 256> statuses{};  // [0] stays 0
  std::array<std::uint64_t, 128> signals{};   // [0] stays 0
  bool operator==(const ExitStatistics&) const = default;
};

class Statistics {
 public:
  explicit Statistics(const LedgerOptions& options) : comms_(options), ends_(options) {}

  void Record(const CommName& name, CommRef& ref, CountKind count) { ++comms_.RowOf(name, ref).counts[count]; }
  void Record(const CommName& name, CommRef& ref, const Counts& tally) { comms_.RowOf(name, ref).counts += tally; }
  void Record(const CommName& name, CommRef& ref, const ProcessExit& end);

  void SetNameGroups(NameGroups groups) { comms_.SetNameGroups(std::move(groups)); }
  void Advance(std::uint64_t now_ns) { comms_.Advance(now_ns); }

  [[nodiscard]] const CommStatistics& comms() const { return comms_.statistics(); }
  [[nodiscard]] const ExitStatistics& exits() const { return ends_; }

 private:
  CommTable comms_;
  ExitStatistics ends_;
};

}  // namespace procevent
