// Counts that wait for a name. An exec opens a cell; what its process, and the children forked since, do is counted
// there until the cell is closed: under a name, or under none. Bounded; nothing is allocated after it was made.
// Owned by Names, which knows what may name a cell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/ledger/process_rows.h"
#include "core/ledger/statistics.h"
#include "core/protocol/event.h"

namespace procevent {

struct NameCell {
  RowId owner = kNowhere;      // whose exec, or doubtful name, it is
  RowId first_row = kNowhere;  // of those whose counts wait here: the owner, and children
  Tally tally;
  SlabId first_end = kNowhere;

  CommName candidate;  // what /proc said at
  std::uint64_t candidate_ns = 0;
  std::uint64_t held_ns = 0;  // when /proc showed its owner last as one who is held
  std::uint8_t held_looks = 0;

  [[nodiscard]] bool empty() const { return tally.empty() && first_end == kNowhere; }

  enum class Queue : std::uint8_t { kUnlooked, kHeld, kLooked };
  Queue queue = Queue::kUnlooked;
  CellId next = kNowhere;
  CellId previous = kNowhere;
};

// A queue that runs through the cells themselves, so that one can leave from the middle.
struct CellQueue {
  CellId first = kNowhere;
  CellId last = kNowhere;
};

class NameCells {
 public:
  NameCells(std::size_t cells, std::size_t ends) : cells_(cells), ends_(ends) {}

  // Joins the queue of those that nobody has looked for; kNowhere if all are taken.
  [[nodiscard]] CellId Open(RowId owner);
  void Add(CellId id, Count count);
  // False: too many ends wait already.
  [[nodiscard]] bool Add(CellId id, const End& end);
  // The execs among what waits, which wait no longer.
  [[nodiscard]] Tally TakeExecs(CellId id);
  // Books what waited under a name.
  void Close(CellId id, const CommName& name, CommRef& ref, Accounts& accounts);

  // The next that nobody has looked for; kNowhere: there is none. It leaves that queue.
  [[nodiscard]] CellId TakeUnlooked();
  // Its owner is held, and says nothing yet: it joins the queue of those that are looked for again later, in order of
  // time. False: it has a candidate, or was looked for often enough.
  [[nodiscard]] bool Hold(CellId id, std::uint64_t taken_ns);
  // The next that was held, now that it is `now_ns`; kNowhere: none is due. It leaves that queue.
  [[nodiscard]] CellId TakeHeld(std::uint64_t now_ns);
  // What /proc said of it; it joins the queue of those that wait for that to be believed, which is in order of time.
  void SetCandidate(CellId id, const CommName& name, std::uint64_t taken_ns);
  [[nodiscard]] CellId first_looked() const { return first(NameCell::Queue::kLooked); }
  [[nodiscard]] bool any_to_look_for() const {
    return first(NameCell::Queue::kUnlooked) != kNowhere || first(NameCell::Queue::kHeld) != kNowhere;
  }

  [[nodiscard]] NameCell& operator[](CellId id) { return cells_[id]; }
  [[nodiscard]] const NameCell& operator[](CellId id) const { return cells_[id]; }
  [[nodiscard]] const Tally& pending() const { return pending_; }

 private:
  struct WaitingEnd {
    End end;
    SlabId next = kNowhere;
  };
  void Join(NameCell::Queue which, CellId id);
  void Leave(CellId id);
  [[nodiscard]] CellQueue& QueueOf(CellId id) { return queues_[static_cast<std::size_t>(cells_[id].queue)]; }
  [[nodiscard]] CellId TakeFirst(NameCell::Queue queue);
  [[nodiscard]] CellId first(NameCell::Queue queue) const { return queues_[static_cast<std::size_t>(queue)].first; }

  Slab<NameCell> cells_;
  Slab<WaitingEnd> ends_;
  std::array<CellQueue, 3> queues_;
  Tally pending_;
};

}  // namespace procevent
