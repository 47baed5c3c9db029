// Stores one row for each live process, indexed by tgid and bounded.
//
// Allocates only at the first occurrence of attributes. The rows know no events: EventApplier, NameResolver and
// ProcReconciler fill them. Owned by the tracker.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"
#include "core/tracker/attributes.h"
#include "core/tracker/exit_status.h"
#include "core/tracker/process_rules.h"

namespace procevent {

using SlabId = std::uint32_t;
inline constexpr SlabId kInvalidId = UINT32_MAX;

// A bounded pool of items that keep their address. Items are allocated and freed in any order, without heap allocation
// after construction. Memory pages are touched only up to the highest id ever used.
template <typename T>
class Slab {
 public:
  explicit Slab(std::size_t capacity) : capacity_(capacity) {
    items_.reserve(capacity);
    free_.reserve(capacity);
  }

  // Returns a default-constructed item, or kInvalidId if all are in use.
  [[nodiscard]] SlabId Allocate() {
    if (size_ == capacity_) {
      return kInvalidId;
    }
    ++size_;
    if (!free_.empty()) {
      const SlabId id = free_.back();
      free_.pop_back();
      items_[id] = T();
      return id;
    }
    items_.emplace_back();
    return static_cast<SlabId>(items_.size() - 1);
  }
  void Free(SlabId id) {
    assert(id < items_.size());
    --size_;
    free_.push_back(id);
  }

  [[nodiscard]] T& operator[](SlabId id) { return items_[id]; }
  [[nodiscard]] const T& operator[](SlabId id) const { return items_[id]; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  // Every id handed out so far is below this.
  [[nodiscard]] SlabId end() const { return static_cast<SlabId>(items_.size()); }

 private:
  std::size_t capacity_;
  std::size_t size_ = 0;  // in use
  std::vector<T> items_;
  std::vector<SlabId> free_;
};

using RowId = SlabId;
using PendingCountsId = SlabId;

// How well the name of a process is known.
enum class NameState : std::uint8_t {
  kUnknown,
  kUnconfirmed,  // read from /proc at `snapshot_ns`; not confirmed yet
  kKnown,        // the name is confirmed, or, if `pending` is set, the counts wait for the name there
};

// A process and its state. Two cache lines; most events touch the first one only.
struct alignas(64) ProcessRow {
  std::int32_t tgid = 0;  // 0: the row is free
  ThreadState threads;
  std::uint64_t epoch = 0;               // loss epoch for which the row is current, see NameResolver::epoch; 0: none
  AttributesId attributes = 0;           // see ProcessRows::SetAttributes; the name is in them
  PendingCountsId pending = kInvalidId;  // where its events are counted until the name is known
  std::int32_t parent = 0;               // the process that forked it or waits for it; 0: unknown
  std::uint32_t euid = kUnknownId;
  std::uint32_t egid = kUnknownId;
  NameState name_state = NameState::kUnknown;
  bool uncertain : 1 = false;       // an event that changed anything but the name may have been missed
  bool needs_snapshot : 1 = false;  // the next pass over the rows reads /proc for it
  bool has_executed : 1 = false;
  std::uint64_t start_ns = 0;     // time of its FORK; 0: the FORK was not received
  std::uint64_t changed_ns = 0;   // time of the latest event that changed the row
  std::uint64_t snapshot_ns = 0;  // time of the /proc snapshot that `threads` is based on; later events are added to it

  ProcessExitStatus exit_status;
  std::uint32_t serial = 0;  // unique per process, also among those that reuse the row
  std::int32_t tracer = 0;
  RowId next_in_pending = kInvalidId;  // list of the rows that share `pending`
  RowId previous_in_pending = kInvalidId;
  RowId older = kInvalidId;
  RowId newer = kInvalidId;
};
static_assert(sizeof(ProcessRow) == 128);

// The process table: rows by tgid, in the order of their insertion.
class ProcessRows {
 public:
  explicit ProcessRows(std::size_t limit);

  [[nodiscard]] RowId Find(std::int32_t tgid) const;
  // Requires a free row, and that `tgid` has none yet.
  RowId Insert(std::int32_t tgid);
  void Erase(RowId id);

  [[nodiscard]] ProcessRow& operator[](RowId id) { return rows_[id]; }
  [[nodiscard]] const ProcessRow& operator[](RowId id) const { return rows_[id]; }
  // A row holds a reference to its attributes. They are `unattributed` until this is called.
  void SetAttributes(RowId id, AttributesId attributes);
  [[nodiscard]] AttributesTable& attributes() { return attributes_; }
  [[nodiscard]] const AttributesTable& attributes() const { return attributes_; }
  [[nodiscard]] const AttributesTable::Entry& AttributesOf(RowId id) const { return attributes_[rows_[id].attributes]; }
  [[nodiscard]] AttributesId untracked() const { return untracked_; }
  [[nodiscard]] AttributesId unattributed() const { return unattributed_; }
  void SetThreads(RowId id, ThreadState threads);
  // Copies the threads and credentials.
  void SetFromSnapshot(RowId id, const ProcSnapshot& snapshot);
  void RequestSnapshot(RowId id) { rows_[id].needs_snapshot = any_snapshot_request_ = true; }
  void MarkUncertain(RowId id) {
    rows_[id].uncertain = true;
    RequestSnapshot(id);
  }
  // Returns whether a snapshot of any row was requested since the last call.
  [[nodiscard]] bool TakeAnySnapshotRequest() { return std::exchange(any_snapshot_request_, false); }

  [[nodiscard]] std::size_t free_rows() const { return rows_.capacity() - rows_.size(); }
  [[nodiscard]] RowId oldest() const { return oldest_; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::uint64_t threads() const { return threads_; }
  // For iteration: every id is below this, and rows in use have a tgid other than 0.
  [[nodiscard]] RowId end() const { return rows_.end(); }

 private:
  struct HashSlot {
    std::int32_t tgid = 0;  // 0: free
    RowId row = kInvalidId;
  };
  [[nodiscard]] std::size_t HomeSlot(std::int32_t tgid) const;
  [[nodiscard]] std::size_t NextSlot(std::size_t slot) const { return (slot + 1) & mask_; }
  void EraseSlot(std::int32_t tgid);

  Slab<ProcessRow> rows_;
  std::vector<HashSlot> slots_;  // open addressing with linear probing, at most half full
  std::size_t mask_;
  static constexpr std::size_t kMaxUnusedAttributes = 4096;  // kept for later processes with the same name
  AttributesTable attributes_{kMaxUnusedAttributes};
  const AttributesId untracked_ = attributes_.Intern({.missing = Attributes::Missing::kUntracked, .comm = {}});
  const AttributesId unattributed_ = attributes_.Intern({.missing = Attributes::Missing::kUnattributed, .comm = {}});
  std::uint32_t last_serial_ = 0;
  std::uint64_t threads_ = 0;  // sum over all rows
  bool any_snapshot_request_ = false;
  RowId oldest_ = kInvalidId;
  RowId newest_ = kInvalidId;
};

}  // namespace procevent
