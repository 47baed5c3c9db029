// The rows that /metrics shows by command: names in, a bounded number of rows out. A name gets its row when something
// is first booked under it; when all rows are taken, new names share one; a row that was idle for long is folded into
// another, and is free again. So sums over all rows never fall. Owned by the accounts.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/ledger/group_name.h"
#include "core/ledger/ledger_options.h"

namespace procevent {

// What is counted for each command: the columns of a row of the comm table, and of the counts that wait for a name.

enum class CountKind : std::uint8_t {
  kForks,
  kThreadsStarted,
  kThreadsEnded,
  kExecs,
  kSucceeded,  // processes that ended: with status 0,
  kFailed,     // with another,
  kKilled,     // or by a signal
  kCoredumps,
  kWithoutExec,  // forked and ended without an exec
  kUidGainedRoot,
  kUidLeftRoot,
  kUidOther,
  kGidGainedRoot,
  kGidLeftRoot,
  kGidOther,
  kAttached,
  kDetached,
};
inline constexpr std::size_t kCountKinds = 17;

class Counts {
 public:
  [[nodiscard]] std::uint64_t& operator[](CountKind count) { return counts_[static_cast<std::size_t>(count)]; }
  [[nodiscard]] std::uint64_t operator[](CountKind count) const { return counts_[static_cast<std::size_t>(count)]; }
  Counts& operator+=(const Counts& other) {
    for (std::size_t i = 0; i < kCountKinds; ++i) {
      counts_[i] += other.counts_[i];
    }
    return *this;
  }
  Counts& operator-=(const Counts& other) {
    for (std::size_t i = 0; i < kCountKinds; ++i) {
      counts_[i] -= other.counts_[i];
    }
    return *this;
  }
  [[nodiscard]] bool empty() const { return *this == Counts(); }
  bool operator==(const Counts&) const = default;

 private:
  std::array<std::uint64_t, kCountKinds> counts_{};
};

// Counts by size. The bounds are set once; what is added or merged later allocates nothing.

class Histogram {
 public:
  Histogram() = default;
  // Upper bounds, inclusive (le), rising. One more bucket holds what is above the last.
  explicit Histogram(std::span<const std::uint64_t> upper)
      : upper_(upper.begin(), upper.end()), counts_(upper.size() + 1) {}

  void Add(std::uint64_t value);
  // `other` has the same bounds.
  Histogram& operator+=(const Histogram& other);
  void Clear();

  [[nodiscard]] bool has_bounds() const { return !upper_.empty(); }
  [[nodiscard]] const std::vector<std::uint64_t>& upper() const { return upper_; }
  // Of each bucket alone, not cumulative; the last is +Inf's.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t count() const;

  bool operator==(const Histogram&) const = default;

 private:
  std::vector<std::uint64_t> upper_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
};

// Where a name's row is, as long as the row is that name's.
struct CommRef {
  std::uint16_t id = 0;
  std::uint32_t generation = 0;  // 0: never looked up
  bool operator==(const CommRef&) const = default;
};

struct CommRow {
  CommLabel label;
  bool in_use = false;
  Counts counts;
  Histogram exit_codes;  // as configured: without bounds, and empty, otherwise
  Histogram lifetimes;
};

struct CommStatistics {
  explicit CommStatistics(const LedgerOptions& options);

  std::vector<CommRow> rows;      // the reserved ones first
  std::uint64_t rows_in_use = 0;  // but the reserved ones
  std::uint64_t limit = 0;
  std::uint64_t overflowed = 0;  // how often a new name found no row
};

class CommTable {
 public:
  explicit CommTable(const LedgerOptions& options);

  static CommRef Reserved(ReservedComm comm) { return {static_cast<std::uint16_t>(comm), 1}; }

  // The row of a name. `ref` is what the name's owner got the last time, and is brought up to date: while it holds,
  // this costs next to nothing.
  CommRow& RowOf(const CommName& name, CommRef& ref);

  // From now on names are looked up by other rules. What was booked stays where it is.
  void SetNameGroups(NameGroups groups);

  // Folds away what has been idle for too long. To be called with the time now and then; nothing in between is booked
  // at a later one.
  void Advance(std::uint64_t now_ns);

  [[nodiscard]] const CommStatistics& statistics() const { return numbers_; }

 private:
  struct RowState {
    std::uint32_t generation = 1;
    std::uint64_t used_ns = 0;
    std::size_t label_hash = 0;
  };
  struct CachedLookup {
    CommName name;
    CommRef ref;
  };

  using CachedLookupSet = std::array<CachedLookup, 4>;

  [[nodiscard]] bool Holds(CommRef ref) const { return ref.generation == keeping_[ref.id].generation; }
  [[nodiscard]] CommRef RefTo(std::size_t id) const {
    return {static_cast<std::uint16_t>(id), keeping_[id].generation};
  }
  [[nodiscard]] CommRef RefTo(ReservedComm comm) const { return RefTo(static_cast<std::size_t>(comm)); }
  CommRef Find(const CommName& name);
  CommRef FindLabel(const CommLabel& label);
  void Retire(std::size_t id);

  NameGroups groups_;
  std::uint64_t retire_after_ns_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t swept_ns_ = 0;
  CommStatistics numbers_;
  std::vector<RowState> keeping_;       // beside numbers_.rows
  std::vector<std::uint16_t> free_;     // rows that no name has
  std::vector<CachedLookupSet> known_;  // names looked up of late, in the set that their hash gives them
};

}  // namespace procevent
