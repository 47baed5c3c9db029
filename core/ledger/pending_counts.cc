#include "core/ledger/pending_counts.h"

#include "core/base/system.h"

namespace procevent {
namespace {

// Whoever is held is looked for again after so long, so often.
constexpr std::uint64_t kHeldPause = 20 * kNanosPerMilli;
constexpr std::uint8_t kMostHeldLooks = 25;

}  // namespace

CellId NameCells::Open(RowId owner) {
  const CellId id = cells_.Take();
  if (id != kNowhere) {
    cells_[id].owner = owner;
    Join(NameCell::Queue::kUnlooked, id);
  }
  return id;
}

void NameCells::Add(CellId id, Count count) {
  ++cells_[id].tally[count];
  ++pending_[count];
}

bool NameCells::Add(CellId id, const End& end) {
  const SlabId record = ends_.Take();
  if (record == kNowhere) {
    return false;
  }
  ends_[record] = {end, cells_[id].first_end};
  cells_[id].first_end = record;
  ++pending_[OutcomeOf(end)];
  return true;
}

Tally NameCells::TakeExecs(CellId id) {
  Tally execs;
  execs[Count::kExecs] = cells_[id].tally[Count::kExecs];
  cells_[id].tally -= execs;
  pending_ -= execs;
  return execs;
}

void NameCells::Close(CellId id, const CommName& name, CommRef& ref, Accounts& accounts) {
  NameCell& cell = cells_[id];
  if (!cell.tally.empty()) {
    accounts.Book(name, ref, cell.tally);
    pending_ -= cell.tally;
  }
  for (SlabId record = cell.first_end; record != kNowhere;) {
    const WaitingEnd& waiting = ends_[record];
    accounts.Book(name, ref, waiting.end);
    --pending_[OutcomeOf(waiting.end)];
    const SlabId next = waiting.next;
    ends_.Give(record);
    record = next;
  }
  Leave(id);
  cells_.Give(id);
}

CellId NameCells::TakeFirst(NameCell::Queue queue) {
  const CellId id = first(queue);
  if (id != kNowhere) {
    Leave(id);
  }
  return id;
}

CellId NameCells::TakeUnlooked() { return TakeFirst(NameCell::Queue::kUnlooked); }

CellId NameCells::TakeHeld(std::uint64_t now_ns) {
  const CellId id = first(NameCell::Queue::kHeld);
  return id != kNowhere && cells_[id].held_ns + kHeldPause <= now_ns ? TakeFirst(NameCell::Queue::kHeld) : kNowhere;
}

bool NameCells::Hold(CellId id, std::uint64_t taken_ns) {
  NameCell& cell = cells_[id];
  if (cell.queue == NameCell::Queue::kLooked || cell.held_looks == kMostHeldLooks) {
    return false;
  }
  ++cell.held_looks;
  cell.held_ns = taken_ns;
  Leave(id);
  Join(NameCell::Queue::kHeld, id);
  return true;
}

void NameCells::SetCandidate(CellId id, const CommName& name, std::uint64_t taken_ns) {
  Leave(id);
  cells_[id].candidate = name;
  cells_[id].candidate_ns = taken_ns;
  Join(NameCell::Queue::kLooked, id);
}

void NameCells::Join(NameCell::Queue which, CellId id) {
  cells_[id].queue = which;
  CellQueue& queue = QueueOf(id);
  cells_[id].previous = queue.last;
  (queue.last == kNowhere ? queue.first : cells_[queue.last].next) = id;
  queue.last = id;
}

// One that is in no queue leaves none.
void NameCells::Leave(CellId id) {
  NameCell& cell = cells_[id];
  CellQueue& queue = QueueOf(id);
  if (queue.first != id && cell.previous == kNowhere) {
    return;
  }
  (cell.previous == kNowhere ? queue.first : cells_[cell.previous].next) = cell.next;
  (cell.next == kNowhere ? queue.last : cells_[cell.next].previous) = cell.previous;
  cell.next = cell.previous = kNowhere;
}

}  // namespace procevent
