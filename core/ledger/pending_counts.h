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

struct PendingCounts {
  RowId owner = kInvalidId;      // whose exec, or doubtful name, it is
  RowId first_row = kInvalidId;  // of those whose counts wait here: the owner, and children
  Counts counts;
  SlabId first_exit = kInvalidId;

  CommName candidate;  // what /proc said at
  std::uint64_t candidate_ns = 0;
  std::uint64_t retry_read_ns = 0;  // when /proc showed its owner last as one who is held
  std::uint8_t retries = 0;

  [[nodiscard]] bool empty() const { return counts.empty() && first_exit == kInvalidId; }

  enum class Queue : std::uint8_t { kUnread, kRetry, kCandidate };
  Queue queue = Queue::kUnread;
  PendingCountsId next = kInvalidId;
  PendingCountsId previous = kInvalidId;
};

// A queue that runs through the cells themselves, so that one can leave from the middle.
struct PendingCountsQueue {
  PendingCountsId first = kInvalidId;
  PendingCountsId last = kInvalidId;
};

class PendingCountsPool {
 public:
  PendingCountsPool(std::size_t cells, std::size_t ends) : cells_(cells), ends_(ends) {}

  // Joins the queue of those that nobody has looked for; kInvalidId if all are taken.
  [[nodiscard]] PendingCountsId Open(RowId owner);
  void Add(PendingCountsId id, CountKind count);
  // False: too many ends wait already.
  [[nodiscard]] bool Add(PendingCountsId id, const ProcessExit& end);
  // The execs among what waits, which wait no longer.
  [[nodiscard]] Counts RemoveExecs(PendingCountsId id);
  // Books what waited under a name.
  void Close(PendingCountsId id, const CommName& name, CommRef& ref, Statistics& accounts);

  // The next that nobody has looked for; kInvalidId: there is none. It leaves that queue.
  [[nodiscard]] PendingCountsId TakeUnread();
  // Its owner is held, and says nothing yet: it joins the queue of those that are looked for again later, in order of
  // time. False: it has a candidate, or was looked for often enough.
  [[nodiscard]] bool ScheduleRetry(PendingCountsId id, std::uint64_t taken_ns);
  // The next that was held, now that it is `now_ns`; kInvalidId: none is due. It leaves that queue.
  [[nodiscard]] PendingCountsId TakeDueRetry(std::uint64_t now_ns);
  // What /proc said of it; it joins the queue of those that wait for that to be believed, which is in order of time.
  void SetCandidate(PendingCountsId id, const CommName& name, std::uint64_t taken_ns);
  [[nodiscard]] PendingCountsId first_candidate() const { return first(PendingCounts::Queue::kCandidate); }
  [[nodiscard]] bool any_to_read() const {
    return first(PendingCounts::Queue::kUnread) != kInvalidId || first(PendingCounts::Queue::kRetry) != kInvalidId;
  }

  [[nodiscard]] PendingCounts& operator[](PendingCountsId id) { return cells_[id]; }
  [[nodiscard]] const PendingCounts& operator[](PendingCountsId id) const { return cells_[id]; }
  [[nodiscard]] const Counts& pending() const { return pending_; }

 private:
  struct PendingExit {
    ProcessExit end;
    SlabId next = kInvalidId;
  };
  void Join(PendingCounts::Queue which, PendingCountsId id);
  void Leave(PendingCountsId id);
  [[nodiscard]] PendingCountsQueue& QueueOf(PendingCountsId id) {
    return queues_[static_cast<std::size_t>(cells_[id].queue)];
  }
  [[nodiscard]] PendingCountsId TakeFirst(PendingCounts::Queue queue);
  [[nodiscard]] PendingCountsId first(PendingCounts::Queue queue) const {
    return queues_[static_cast<std::size_t>(queue)].first;
  }

  Slab<PendingCounts> cells_;
  Slab<PendingExit> ends_;
  std::array<PendingCountsQueue, 3> queues_;
  Counts pending_;
};

}  // namespace procevent
