#include "core/tracker/process_rows.h"

#include <bit>
#include <cassert>

namespace procevent {

ProcessRows::ProcessRows(std::size_t limit)
    : rows_(limit), slots_(std::bit_ceil(2 * limit)), mask_(slots_.size() - 1) {}

// Pids are assigned in ascending order: eight successive ones share a cache line, and the lines are scattered by a
// hash.
std::size_t ProcessRows::HomeSlot(std::int32_t tgid) const {
  constexpr unsigned kLineBits = 3;
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  const auto pid = static_cast<std::uint32_t>(tgid);
  const std::uint64_t line = ((pid >> kLineBits) * kMultiplier) >> 32U;
  return ((line << kLineBits) | (pid & ((1U << kLineBits) - 1))) & mask_;
}

RowId ProcessRows::Find(std::int32_t tgid) const {
  std::size_t slot = HomeSlot(tgid);
  while (slots_[slot].tgid != tgid) {
    if (slots_[slot].tgid == 0) {
      return kInvalidId;
    }
    slot = NextSlot(slot);
  }
  return slots_[slot].row;
}

RowId ProcessRows::Insert(std::int32_t tgid) {
  const RowId id = rows_.Allocate();
  assert(id != kInvalidId && tgid != 0);
  std::size_t slot = HomeSlot(tgid);
  while (slots_[slot].tgid != 0) {
    slot = NextSlot(slot);
  }
  slots_[slot] = {tgid, id};
  ProcessRow& row = rows_[id];
  row.tgid = tgid;
  row.serial = ++last_serial_;
  row.attributes = unattributed_;
  attributes_.AddReference(unattributed_);
  row.older = newest_;
  (newest_ == kInvalidId ? oldest_ : rows_[newest_].newer) = id;
  newest_ = id;
  ++threads_;
  return id;
}

void ProcessRows::Erase(RowId id) {
  ProcessRow& row = rows_[id];
  EraseSlot(row.tgid);
  attributes_.Release(row.attributes);
  threads_ -= row.threads.count;
  (row.older == kInvalidId ? oldest_ : rows_[row.older].newer) = row.newer;
  (row.newer == kInvalidId ? newest_ : rows_[row.newer].older) = row.older;
  row.tgid = 0;
  rows_.Free(id);
}

void ProcessRows::SetAttributes(RowId id, AttributesId attributes) {
  attributes_.AddReference(attributes);
  attributes_.Release(rows_[id].attributes);
  rows_[id].attributes = attributes;
}

void ProcessRows::SetThreads(RowId id, ThreadState threads) {
  threads_ += threads.count;
  threads_ -= rows_[id].threads.count;
  rows_[id].threads = threads;
}

void ProcessRows::SetFromSnapshot(RowId id, const ProcSnapshot& snapshot) {
  SetThreads(id, ThreadState::Of(snapshot.threads, snapshot.leader_gone));
  ProcessRow& row = rows_[id];
  row.snapshot_ns = snapshot.taken_ns;
  row.euid = snapshot.euid;
  row.egid = snapshot.egid;
  row.parent = snapshot.parent != 0 ? snapshot.parent : row.parent;
}

// Backward-shift deletion: an entry behind the gap moves into it unless its home slot lies behind the gap.
void ProcessRows::EraseSlot(std::int32_t tgid) {
  std::size_t gap = HomeSlot(tgid);
  while (slots_[gap].tgid != tgid) {
    gap = NextSlot(gap);
  }
  for (std::size_t slot = NextSlot(gap); slots_[slot].tgid != 0; slot = NextSlot(slot)) {
    const std::size_t from_home = (slot - HomeSlot(slots_[slot].tgid)) & mask_;
    const std::size_t from_gap = (slot - gap) & mask_;
    if (from_home >= from_gap) {
      slots_[gap] = slots_[slot];
      gap = slot;
    }
  }
  slots_[gap] = {};
}

}  // namespace procevent
