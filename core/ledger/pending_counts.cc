#include "core/ledger/pending_counts.h"

#include "core/base/system.h"

namespace procevent {
namespace {

// For owners in the middle of an exec.
constexpr std::uint64_t kRetryInterval = 20 * kNanosPerMilli;
constexpr std::uint8_t kMaxRetries = 25;

}  // namespace

PendingCountsId PendingCountsPool::Open(RowId owner) {
  const PendingCountsId id = entries_.Allocate();
  if (id != kInvalidId) {
    entries_[id].owner = owner;
    Enqueue(PendingCounts::Queue::kUnread, id);
  }
  return id;
}

void PendingCountsPool::Add(PendingCountsId id, CountKind kind) {
  ++entries_[id].counts[kind];
  ++total_[kind];
}

bool PendingCountsPool::Add(PendingCountsId id, const ProcessExit& exit) {
  const SlabId record = exits_.Allocate();
  if (record == kInvalidId) {
    return false;
  }
  exits_[record] = {exit, entries_[id].first_exit};
  entries_[id].first_exit = record;
  ++total_[ExitCountKindOf(exit)];
  return true;
}

Counts PendingCountsPool::RemoveExecs(PendingCountsId id) {
  Counts execs;
  execs[CountKind::kExecs] = entries_[id].counts[CountKind::kExecs];
  entries_[id].counts -= execs;
  total_ -= execs;
  return execs;
}

void PendingCountsPool::Close(PendingCountsId id, const CommName& name, CommRef& ref, Statistics& statistics) {
  PendingCounts& entry = entries_[id];
  if (!entry.counts.empty()) {
    statistics.Record(name, ref, entry.counts);
    total_ -= entry.counts;
  }
  for (SlabId record = entry.first_exit; record != kInvalidId;) {
    const PendingExit& waiting = exits_[record];
    statistics.Record(name, ref, waiting.exit);
    --total_[ExitCountKindOf(waiting.exit)];
    const SlabId next = waiting.next;
    exits_.Free(record);
    record = next;
  }
  Dequeue(id);
  entries_.Free(id);
}

PendingCountsId PendingCountsPool::TakeNextToRead(std::uint64_t now_ns) {
  PendingCountsId id = first(PendingCounts::Queue::kUnread);
  if (id == kInvalidId) {
    id = first(PendingCounts::Queue::kRetry);
    if (id == kInvalidId || entries_[id].retry_read_ns + kRetryInterval > now_ns) {
      return kInvalidId;
    }
  }
  Dequeue(id);
  return id;
}

bool PendingCountsPool::ScheduleRetry(PendingCountsId id, std::uint64_t taken_ns) {
  PendingCounts& entry = entries_[id];
  if (entry.queue == PendingCounts::Queue::kCandidate || entry.retries == kMaxRetries) {
    return false;
  }
  ++entry.retries;
  entry.retry_read_ns = taken_ns;
  Dequeue(id);
  Enqueue(PendingCounts::Queue::kRetry, id);
  return true;
}

void PendingCountsPool::SetCandidate(PendingCountsId id, const CommName& name, std::uint64_t taken_ns) {
  Dequeue(id);
  entries_[id].candidate = name;
  entries_[id].candidate_ns = taken_ns;
  Enqueue(PendingCounts::Queue::kCandidate, id);
}

void PendingCountsPool::Enqueue(PendingCounts::Queue which, PendingCountsId id) {
  entries_[id].queue = which;
  Queue& queue = QueueOf(id);
  entries_[id].previous = queue.last;
  (queue.last == kInvalidId ? queue.first : entries_[queue.last].next) = id;
  queue.last = id;
}

// Does nothing if the entry is in no queue.
void PendingCountsPool::Dequeue(PendingCountsId id) {
  PendingCounts& entry = entries_[id];
  Queue& queue = QueueOf(id);
  if (queue.first != id && entry.previous == kInvalidId) {
    return;
  }
  (entry.previous == kInvalidId ? queue.first : entries_[entry.previous].next) = entry.next;
  (entry.next == kInvalidId ? queue.last : entries_[entry.next].previous) = entry.previous;
  entry.next = entry.previous = kInvalidId;
}

}  // namespace procevent
