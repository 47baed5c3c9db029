// FOLDED: slab.h, process_rows.h
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/ledger/comm_table.h"
#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"

namespace procevent {

// A bounded store of things that keep their place: taken and given back in any order, without allocating after it was
// made. Memory is touched only as far as it was ever needed. For the tables of the ledger.

using SlabId = std::uint32_t;
inline constexpr SlabId kInvalidId = UINT32_MAX;

template <typename T>
class Slab {
 public:
  explicit Slab(std::size_t capacity) : capacity_(capacity) {
    items_.reserve(capacity);
    free_.reserve(capacity);
  }

  // A fresh one, or kInvalidId if all are taken.
  [[nodiscard]] SlabId Allocate() {
    if (!free_.empty()) {
      const SlabId id = free_.back();
      free_.pop_back();
      items_[id] = T();
      return id;
    }
    if (items_.size() == capacity_) {
      return kInvalidId;
    }
    items_.emplace_back();
    return static_cast<SlabId>(items_.size() - 1);
  }
  void Free(SlabId id) {
    assert(id < items_.size());
    free_.push_back(id);
  }

  [[nodiscard]] T& operator[](SlabId id) { return items_[id]; }
  [[nodiscard]] const T& operator[](SlabId id) const { return items_[id]; }
  [[nodiscard]] std::size_t size() const { return items_.size() - free_.size(); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  // Ids are below this.
  [[nodiscard]] SlabId end() const { return static_cast<SlabId>(items_.size()); }

 private:
  std::size_t capacity_;
  std::vector<T> items_;
  std::vector<SlabId> free_;
};

// Who lives: a row for each process, found by its tgid. Bounded and flat; nothing is allocated after it was made.
// Knows no events; the census fills it in.

using RowId = SlabId;
using PendingCountsId = SlabId;

// How well a process's name is known.
enum class NameState : std::uint8_t {
  kUnknown,
  kUnconfirmed,  // /proc showed it at `seen_ns`; it is still to be believed
  kKnown,        // or its cell waits for it
};

// Two lines of the cache; most events need the first only.
struct alignas(64) ProcessRow {
  std::int32_t tgid = 0;
  std::uint32_t threads = 1;
  std::uint64_t epoch = 0;  // up to which loss this is known; 0: nothing is
  CommName name;
  CommRef comm;
  PendingCountsId cell = kInvalidId;  // its counts wait there for a name
  std::uint32_t euid = kUnknownId;
  std::uint32_t egid = kUnknownId;
  NameState naming = NameState::kUnknown;
  bool unsure = false;  // something may have been missed of all but the name
  bool leader_gone = false;
  bool execed = false;

  std::uint64_t start_ns = 0;     // of its FORK; 0: that was not seen
  std::uint64_t changed_ns = 0;   // the last event that changed any of this
  std::uint64_t seen_ns = 0;      // the threads are those that /proc showed then, and what came after
  std::uint32_t wait_status = 0;  // the last non-zero one of a thread since the last exec
  std::uint32_t serial = 0;       // tells this row from others that had or will have its place
  std::int32_t tracer = 0;
  RowId next_in_cell = kInvalidId;
  RowId previous_in_cell = kInvalidId;
  RowId older = kInvalidId;
  RowId newer = kInvalidId;
  bool to_see = false;  // /proc is to be asked in the next survey
};
static_assert(sizeof(ProcessRow) == 128);

class ProcessRows {
 public:
  explicit ProcessRows(std::size_t limit);

  [[nodiscard]] RowId Find(std::int32_t tgid) const;
  // `tgid` has no row, and there is room.
  RowId Insert(std::int32_t tgid);
  void Erase(RowId id);

  [[nodiscard]] ProcessRow& operator[](RowId id) { return rows_[id]; }
  [[nodiscard]] const ProcessRow& operator[](RowId id) const { return rows_[id]; }
  void SetThreads(RowId id, std::uint32_t threads);
  void RequestSnapshot(RowId id) { rows_[id].to_see = any_to_see_ = true; }
  void MarkUncertain(RowId id) {
    rows_[id].unsure = true;
    RequestSnapshot(id);
  }
  // Whether any row came to be seen since this was asked last.
  [[nodiscard]] bool TakeAnySnapshotRequest() { return std::exchange(any_to_see_, false); }

  [[nodiscard]] std::size_t free_rows() const { return rows_.capacity() - rows_.size(); }
  [[nodiscard]] RowId oldest() const { return oldest_; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::uint64_t threads() const { return threads_; }
  // To visit all: ids are below this, and those that are taken have a tgid.
  [[nodiscard]] RowId end() const { return rows_.end(); }

 private:
  struct HashSlot {
    std::int32_t tgid = 0;  // 0: free
    RowId row = kInvalidId;
  };
  [[nodiscard]] std::size_t HomeOf(std::int32_t tgid) const;
  [[nodiscard]] std::size_t Next(std::size_t place) const { return (place + 1) & mask_; }
  void Forget(std::int32_t tgid);

  Slab<ProcessRow> rows_;
  std::vector<HashSlot> places_;  // open addressing, at most half full
  std::size_t mask_;
  std::uint32_t serials_ = 0;
  std::uint64_t threads_ = 0;
  bool any_to_see_ = false;
  RowId oldest_ = kInvalidId;
  RowId newest_ = kInvalidId;
};

}  // namespace procevent
