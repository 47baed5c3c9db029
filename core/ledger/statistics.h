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
struct End {
  WaitStatus status;
  bool unexeced = false;  // it is known to have been forked and never to have executed anything
  bool lived = false;     // its fork was seen, so that this is known:
  std::uint64_t lifetime_ns = 0;
};

// The column that an end is counted in.
constexpr Count OutcomeOf(const End& end) {
  return end.status.signal != 0 ? Count::kKilled : end.status.status != 0 ? Count::kFailed : Count::kSucceeded;
}

// How processes ended, whoever they were.
struct EndNumbers {
  explicit EndNumbers(const LedgerOptions& options);

  Histogram exit_codes;                       // status, or 128 + signal
  Histogram lifetimes;                        // nanoseconds
  std::array<std::uint64_t, 256> statuses{};  // [0] stays 0
  std::array<std::uint64_t, 128> signals{};   // [0] stays 0
  bool operator==(const EndNumbers&) const = default;
};

class Accounts {
 public:
  explicit Accounts(const LedgerOptions& options) : comms_(options), ends_(options) {}

  void Book(const CommName& name, CommRef& ref, Count count) { ++comms_.RowOf(name, ref).tally[count]; }
  void Book(const CommName& name, CommRef& ref, const Tally& tally) { comms_.RowOf(name, ref).tally += tally; }
  void Book(const CommName& name, CommRef& ref, const End& end);

  void Regroup(NameGroups groups) { comms_.Regroup(std::move(groups)); }
  void Advance(std::uint64_t now_ns) { comms_.Advance(now_ns); }

  [[nodiscard]] const CommNumbers& comms() const { return comms_.numbers(); }
  [[nodiscard]] const EndNumbers& ends() const { return ends_; }

 private:
  CommTable comms_;
  EndNumbers ends_;
};

}  // namespace procevent
