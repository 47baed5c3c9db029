// Holds the activities of processes whose name is not known yet, until they are emitted with a name.
//
// Pending counts are opened by an exec, or by the first event of a process without a known name (NameResolver::Emit).
// That process owns them. Events of the owner, and of the children that it forks meanwhile, are counted here until the
// pending counts are closed. Every activity is emitted with its attributes exactly once. Bounded; nothing is allocated
// after construction. Owned by NameResolver, which decides when a name is confirmed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/protocol/event.h"
#include "core/tracker/activity.h"
#include "core/tracker/process_rows.h"

namespace procevent {

// Counts that wait for one name.
struct PendingCounts {
  RowId owner = kInvalidId;         // the process whose name is missing
  RowId first_member = kInvalidId;  // list of the rows counted here: the owner and its children
  Counts counts;
  std::uint32_t kinds = 0;      // bit n: kind n of `counts` is not 0
  std::uint64_t latest_ns = 0;  // time of the latest event in `counts`
  SlabId first_exit = kInvalidId;

  CommName candidate;               // the owner's name in the last /proc snapshot, not confirmed yet
  std::uint64_t candidate_ns = 0;   // when that snapshot was taken; 0: there is none
  std::uint64_t retry_read_ns = 0;  // when /proc last showed the owner in the middle of an exec
  std::uint8_t retries = 0;

  [[nodiscard]] bool empty() const { return kinds == 0 && first_exit == kInvalidId; }

  enum class Queue : std::uint8_t {
    kUnread,     // /proc has not been read for it
    kRetry,      // the owner was in the middle of an exec: /proc is read again later
    kCandidate,  // the candidate waits to be confirmed
  };
  Queue queue = Queue::kUnread;
  PendingCountsId next = kInvalidId;
  PendingCountsId previous = kInvalidId;
};

// A bounded pool of PendingCounts, each in one of three queues.
class PendingCountsPool {
 public:
  PendingCountsPool(std::size_t max_entries, std::size_t max_exits) : entries_(max_entries), exits_(max_exits) {}

  // Opens an entry in the queue of the unread ones. Returns kInvalidId if the pool is full.
  [[nodiscard]] PendingCountsId Open(RowId owner);
  void Add(PendingCountsId id, CountKind kind, std::uint64_t when_ns);
  // Returns false if the pool holds the maximum number of exits already.
  [[nodiscard]] bool Add(PendingCountsId id, const ProcessExit& exit, const ActiveProcess& process,
                         std::uint64_t when_ns);
  // Emits the execs of an entry as the activity of `owner`, and removes them.
  void EmitExecs(PendingCountsId id, const ActiveProcess& owner, ActivitySink sink);
  // Emits everything in the entry with the attributes of `owner`, and frees the entry.
  void Close(PendingCountsId id, const ActiveProcess& owner, ActivitySink sink);

  // Removes the first entry of the unread queue, or else of the retry queue if it is due at `now_ns`. Returns
  // kInvalidId if there is none.
  [[nodiscard]] PendingCountsId TakeNextToRead(std::uint64_t now_ns);
  // Moves the entry to the retry queue: /proc showed the owner in the middle of an exec, so the name is not reliable.
  // The queue is in order of time: /proc is read again after 20 ms, at most 25 times. Returns false if the entry has a
  // candidate already or has no retry left.
  [[nodiscard]] bool ScheduleRetry(PendingCountsId id, std::uint64_t taken_ns);
  // Sets the name that /proc showed, and moves the entry to the end of the candidate queue, which is in order of time.
  void SetCandidate(PendingCountsId id, const CommName& name, std::uint64_t taken_ns);
  [[nodiscard]] PendingCountsId first_candidate() const { return first(PendingCounts::Queue::kCandidate); }
  [[nodiscard]] bool any_to_read() const {
    return first(PendingCounts::Queue::kUnread) != kInvalidId || first(PendingCounts::Queue::kRetry) != kInvalidId;
  }

  [[nodiscard]] PendingCounts& operator[](PendingCountsId id) { return entries_[id]; }
  [[nodiscard]] const PendingCounts& operator[](PendingCountsId id) const { return entries_[id]; }
  // Sum over all entries.
  [[nodiscard]] const Counts& total() const { return total_; }

 private:
  struct PendingExit {
    ProcessExit exit;
    std::uint64_t when_ns = 0;
    std::uint64_t start_ns = 0;
    std::int32_t parent = 0;
    SlabId next = kInvalidId;
  };
  // An intrusive list, so that an entry can be removed from the middle.
  struct Queue {
    PendingCountsId first = kInvalidId;
    PendingCountsId last = kInvalidId;
  };
  void EmitCounts(PendingCounts& entry, CountKind kind, const ActiveProcess& owner, ActivitySink sink);
  void Enqueue(PendingCounts::Queue which, PendingCountsId id);
  void Dequeue(PendingCountsId id);
  [[nodiscard]] Queue& QueueOf(PendingCountsId id) { return queues_[static_cast<std::size_t>(entries_[id].queue)]; }
  [[nodiscard]] PendingCountsId first(PendingCounts::Queue queue) const {
    return queues_[static_cast<std::size_t>(queue)].first;
  }

  Slab<PendingCounts> entries_;
  Slab<PendingExit> exits_;
  std::array<Queue, 3> queues_;
  Counts total_;
};

}  // namespace procevent
