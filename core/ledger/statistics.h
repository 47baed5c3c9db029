// Records counts and process exits under their final names.
//
// A count that is recorded here is never moved to another name; the group table may only retire it. All numbers are
// consistent with each other after every call. Owned by the ledger; NameResolver records. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/ledger/comm_table.h"
#include "core/ledger/ledger_options.h"
#include "core/protocol/event.h"

namespace procevent {

// How a process exited.
struct ProcessExit {
  WaitStatus status;
  bool without_exec : 1 = false;    // its fork was received, and it never executed a program
  bool lifetime_known : 1 = false;  // its fork was received
  std::int32_t pid = 0;
  std::uint64_t lifetime_ns = 0;  // valid if the lifetime is known
};

static_assert(sizeof(ProcessExit) == 16);  // 65 536 of them may wait for a name

// Returns the column that an exit is counted in.
constexpr CountKind ExitCountKindOf(const ProcessExit& exit) {
  return exit.status.signal != 0   ? CountKind::kKilled
         : exit.status.status != 0 ? CountKind::kFailed
                                   : CountKind::kSucceeded;
}

// Exit codes and lifetimes of all processes together.
struct ExitStatistics {
  explicit ExitStatistics(const LedgerOptions& options);

  Histogram exit_codes;  // status, or 128 + signal
  Histogram lifetimes;   // nanoseconds
  bool operator==(const ExitStatistics&) const = default;
};

// The group table and the exit statistics.
class Statistics {
 public:
  explicit Statistics(const LedgerOptions& options) : comms_(options), exits_(options) {}

  void Record(const CommName& name, CommRef& ref, CountKind kind) { ++comms_.RowOf(name, ref).counts[kind]; }
  void Record(const CommName& name, CommRef& ref, const Counts& counts) { comms_.RowOf(name, ref).counts += counts; }
  void Record(const CommName& name, CommRef& ref, const ProcessExit& exit);

  void SetNameGroups(NameGroups groups) { comms_.SetNameGroups(std::move(groups)); }
  void Advance(std::uint64_t now_ns) { comms_.Advance(now_ns); }

  [[nodiscard]] const CommStatistics& comms() const { return comms_.statistics(); }
  [[nodiscard]] std::span<const ExitReasonCount> exit_reasons() const { return comms_.exit_reasons(); }
  [[nodiscard]] const ExitStatistics& exits() const { return exits_; }

 private:
  CommTable comms_;
  ExitStatistics exits_;
};

}  // namespace procevent
