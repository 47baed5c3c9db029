#include "core/tracker/pending_counts.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

// For owners in the middle of an exec.
constexpr std::uint64_t kRetryInterval = 20 * kNanosPerMilli;
constexpr std::uint8_t kMaxRetries = 25;

constexpr std::uint32_t BitOf(CountKind kind) { return 1U << static_cast<unsigned>(kind); }
static_assert(kCountKinds <= 32);

}  // namespace

PendingCountsId PendingCountsPool::Open(RowId owner) {
  const PendingCountsId id = entries_.Allocate();
  if (id != kInvalidId) {
    entries_[id].owner = owner;
    Enqueue(PendingCounts::Queue::kUnread, id);
  }
  return id;
}

void PendingCountsPool::Add(PendingCountsId id, CountKind kind, std::uint64_t when_ns) {
  PendingCounts& entry = entries_[id];
  ++entry.counts[kind];
  entry.kinds |= BitOf(kind);
  entry.latest_ns = std::max(entry.latest_ns, when_ns);
  ++total_[kind];
}

bool PendingCountsPool::Add(PendingCountsId id, const ProcessExit& exit, const ActiveProcess& process,
                            std::uint64_t when_ns) {
  const SlabId record = exits_.Allocate();
  if (record == kInvalidId) {
    return false;
  }
  exits_[record] = {exit, when_ns, process.start_ns, process.parent, entries_[id].first_exit};
  entries_[id].first_exit = record;
  ++total_[ExitCountKindOf(exit)];
  return true;
}

void PendingCountsPool::EmitExecs(PendingCountsId id, const ActiveProcess& owner, ActivitySink sink) {
  if ((entries_[id].kinds & BitOf(CountKind::kExecs)) != 0) {
    EmitCounts(entries_[id], CountKind::kExecs, owner, sink);
  }
}

void PendingCountsPool::Close(PendingCountsId id, const ActiveProcess& owner, ActivitySink sink) {
  PendingCounts& entry = entries_[id];
  while (entry.kinds != 0) {
    EmitCounts(entry, static_cast<CountKind>(std::countr_zero(entry.kinds)), owner, sink);
  }
  for (SlabId record = entry.first_exit; record != kInvalidId;) {
    const PendingExit& waiting = exits_[record];
    const ProcessExit& exit = waiting.exit;
    sink.Emit({.stage = Activity::Stage::kResolved,
               .what = ExitCountKindOf(exit),
               .when_ns = waiting.when_ns,
               .process = {.pid = exit.pid,
                           .parent = waiting.parent,
                           .start_ns = waiting.start_ns,
                           .attributes = owner.attributes},
               .exit = &exit});
    --total_[ExitCountKindOf(exit)];
    const SlabId next = waiting.next;
    exits_.Free(record);
    record = next;
  }
  Dequeue(id);
  entries_.Free(id);
}

void PendingCountsPool::EmitCounts(PendingCounts& entry, CountKind kind, const ActiveProcess& owner,
                                   ActivitySink sink) {
  const std::uint64_t times = std::exchange(entry.counts[kind], 0);
  entry.kinds &= ~BitOf(kind);
  total_[kind] -= times;
  sink.Emit({.stage = Activity::Stage::kResolved,
             .what = kind,
             .times = times,
             .when_ns = entry.latest_ns,
             .process = owner});
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
