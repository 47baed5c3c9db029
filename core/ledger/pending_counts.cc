#include "core/ledger/pending_counts.h"

#include "core/base/system.h"

namespace procevent {
namespace {

// Whoever is held is looked for again after so long, so often.
constexpr std::uint64_t kHeldPause = 20 * kNanosPerMilli;
constexpr std::uint8_t kMostHeldLooks = 25;

}  // namespace

PendingCountsId PendingCountsPool::Open(RowId owner) {
  const PendingCountsId id = cells_.Allocate();
  if (id != kInvalidId) {
    cells_[id].owner = owner;
    Join(PendingCounts::Queue::kUnread, id);
  }
  return id;
}

void PendingCountsPool::Add(PendingCountsId id, CountKind count) {
  ++cells_[id].counts[count];
  ++pending_[count];
}

bool PendingCountsPool::Add(PendingCountsId id, const ProcessExit& end) {
  const SlabId record = ends_.Allocate();
  if (record == kInvalidId) {
    return false;
  }
  ends_[record] = {end, cells_[id].first_exit};
  cells_[id].first_exit = record;
  ++pending_[ExitCountKindOf(end)];
  return true;
}

Counts PendingCountsPool::RemoveExecs(PendingCountsId id) {
  Counts execs;
  execs[CountKind::kExecs] = cells_[id].counts[CountKind::kExecs];
  cells_[id].counts -= execs;
  pending_ -= execs;
  return execs;
}

void PendingCountsPool::Close(PendingCountsId id, const CommName& name, CommRef& ref, Statistics& accounts) {
  PendingCounts& cell = cells_[id];
  if (!cell.counts.empty()) {
    accounts.Record(name, ref, cell.counts);
    pending_ -= cell.counts;
  }
  for (SlabId record = cell.first_exit; record != kInvalidId;) {
    const PendingExit& waiting = ends_[record];
    accounts.Record(name, ref, waiting.end);
    --pending_[ExitCountKindOf(waiting.end)];
    const SlabId next = waiting.next;
    ends_.Free(record);
    record = next;
  }
  Leave(id);
  cells_.Free(id);
}

PendingCountsId PendingCountsPool::TakeFirst(PendingCounts::Queue queue) {
  const PendingCountsId id = first(queue);
  if (id != kInvalidId) {
    Leave(id);
  }
  return id;
}

PendingCountsId PendingCountsPool::TakeUnread() { return TakeFirst(PendingCounts::Queue::kUnread); }

PendingCountsId PendingCountsPool::TakeDueRetry(std::uint64_t now_ns) {
  const PendingCountsId id = first(PendingCounts::Queue::kRetry);
  return id != kInvalidId && cells_[id].retry_read_ns + kHeldPause <= now_ns ? TakeFirst(PendingCounts::Queue::kRetry)
                                                                             : kInvalidId;
}

bool PendingCountsPool::ScheduleRetry(PendingCountsId id, std::uint64_t taken_ns) {
  PendingCounts& cell = cells_[id];
  if (cell.queue == PendingCounts::Queue::kCandidate || cell.retries == kMostHeldLooks) {
    return false;
  }
  ++cell.retries;
  cell.retry_read_ns = taken_ns;
  Leave(id);
  Join(PendingCounts::Queue::kRetry, id);
  return true;
}

void PendingCountsPool::SetCandidate(PendingCountsId id, const CommName& name, std::uint64_t taken_ns) {
  Leave(id);
  cells_[id].candidate = name;
  cells_[id].candidate_ns = taken_ns;
  Join(PendingCounts::Queue::kCandidate, id);
}

void PendingCountsPool::Join(PendingCounts::Queue which, PendingCountsId id) {
  cells_[id].queue = which;
  PendingCountsQueue& queue = QueueOf(id);
  cells_[id].previous = queue.last;
  (queue.last == kInvalidId ? queue.first : cells_[queue.last].next) = id;
  queue.last = id;
}

// One that is in no queue leaves none.
void PendingCountsPool::Leave(PendingCountsId id) {
  PendingCounts& cell = cells_[id];
  PendingCountsQueue& queue = QueueOf(id);
  if (queue.first != id && cell.previous == kInvalidId) {
    return;
  }
  (cell.previous == kInvalidId ? queue.first : cells_[cell.previous].next) = cell.next;
  (cell.next == kInvalidId ? queue.last : cells_[cell.next].previous) = cell.previous;
  cell.next = cell.previous = kInvalidId;
}

}  // namespace procevent
