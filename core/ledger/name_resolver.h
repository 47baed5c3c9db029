// By which name a process goes, and so where what it does is booked. A name is never guessed: after an exec, or a loss
// that may have hidden one, counts wait in a cell until a COMM event or a look at /proc tells the name beyond doubt;
// if nothing does before the process ends, they are booked as unattributed. Used by the census and the sightings.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/system.h"
#include "core/ledger/pending_counts.h"
#include "core/ledger/process_rows.h"
#include "core/ledger/statistics.h"

namespace procevent {

// The kernel changes a name a moment before it queues the event that says so. What /proc shows may therefore be newer
// than the last event that was read, by less than this.
inline constexpr std::uint64_t kNameMargin = 10 * kNanosPerMilli;

// How cells got their names.
enum class Attribution : std::uint8_t { kProc, kCommEvent, kUnattributed };
inline constexpr std::size_t kAttributions = 3;
inline constexpr std::array<std::string_view, kAttributions> kAttributionNames{"proc", "comm_event", "unattributed"};

class NameResolver {
 public:
  NameResolver(ProcessRows& table, Statistics& accounts)
      : table_(table), accounts_(accounts), cells_(kMostCells, kMostEnds) {}

  // Events were lost: every name is in doubt, and so is what else was known of a process.
  void Invalidate() { ++epoch_; }
  // To be called before anything else is done with a row: what was in doubt is forgotten.
  void ForgetIfStale(RowId id) {
    if (table_[id].epoch != epoch_) {
      Forget(id);
    }
  }

  void Record(RowId id, CountKind count);
  void Record(RowId id, const ProcessExit& end);
  void RecordUntracked(CountKind count) { BookReserved(ReservedComm::kUntracked, count); }
  void RecordUntracked(const ProcessExit& end) { BookReserved(ReservedComm::kUntracked, end); }

  // What a process that begins is called: as its parent; or that is to be seen, at once or in a survey.
  void InheritName(RowId child, RowId parent);
  void RequestName(RowId child);
  void ClearName(RowId child);
  void OnExec(RowId id, std::uint64_t when_ns);
  void OnRename(RowId id, const CommName& name, std::uint64_t when_ns);
  // The row is about to end; all it did is booked.
  void OnExit(RowId id, std::uint64_t when_ns);
  // The same, for a row whose end nobody saw.
  void OnUnobservedExit(RowId id) { Leave(id); }

  // Whose name to look for in /proc next, now that all events up to now have been read; kInvalidId: nobody's.
  [[nodiscard]] RowId NextNameRequest();
  [[nodiscard]] bool any_name_request() const { return cells_.any_to_read(); }
  // Whether a name that was seen waits to be believed.
  [[nodiscard]] bool any_unconfirmed_name() const { return cells_.first_candidate() != kInvalidId; }
  // /proc showed a process without a row so, when `seen_ns` says.
  void SetUnconfirmedName(RowId id, const CommName& name);
  // /proc says that this is the name of whoever waits for one.
  void SetCandidateName(RowId id, const CommName& name, std::uint64_t taken_ns);
  // /proc showed it held, and so not surely by its name: it is looked for again in a moment. False: it is not, any
  // more.
  [[nodiscard]] bool ScheduleNameRetry(RowId id, std::uint64_t taken_ns) {
    return Owns(id) && cells_.ScheduleRetry(table_[id].cell, taken_ns);
  }
  // A row that was not refreshed since a loss is not in doubt any more; its name will be corrected.
  void MarkCurrent(RowId id);
  // Beyond doubt this is the row's name.
  void ConfirmName(RowId id, const CommName& name);
  // All events up to then have been read: names that were seen long enough before are believed.
  void ConfirmNamesUpTo(std::uint64_t heard_ns);

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const Counts& pending() const { return cells_.pending(); }
  [[nodiscard]] const std::array<std::uint64_t, kAttributions>& attributions() const { return attributions_; }

 private:
  static constexpr std::size_t kMostCells = 4096;
  static constexpr std::size_t kMostEnds = 65'536;

  template <typename What>
  void BookReserved(ReservedComm comm, const What& what) {
    CommRef ref = CommTable::Reserved(comm);
    accounts_.Record(CommName(), ref, what);
  }
  [[nodiscard]] bool Owns(RowId id) const {
    return table_[id].cell != kInvalidId && cells_[table_[id].cell].owner == id;
  }

  [[nodiscard]] PendingCountsId NextCellToLookFor();
  void Forget(RowId id);
  void Open(RowId owner);
  void Join(RowId id, PendingCountsId cell);
  void Part(RowId id);
  void Leave(RowId id);
  // Closes what the row owns: under the name that /proc showed, if that was `margin_ns` or more before `when_ns`.
  void CloseOwned(RowId owner, std::uint64_t when_ns, std::uint64_t margin_ns);
  void Close(PendingCountsId cell, Attribution how, CommName name = {});
  void SetName(RowId id, const CommName& name, CommRef ref);

  ProcessRows& table_;
  Statistics& accounts_;
  PendingCountsPool cells_;
  std::uint64_t epoch_ = 1;
  std::uint64_t settled_ns_ = 0;  // up to when, the last time
  std::array<std::uint64_t, kAttributions> attributions_{};
};

}  // namespace procevent
