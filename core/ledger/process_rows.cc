#include "core/ledger/process_rows.h"

#include <bit>
#include <cassert>

namespace procevent {

ProcessRows::ProcessRows(std::size_t limit)
    : rows_(limit), places_(std::bit_ceil(2 * limit)), mask_(places_.size() - 1) {}

// Processes come with rising numbers: eight neighbours share a line of the cache, and the lines are scattered.
std::size_t ProcessRows::HomeOf(std::int32_t tgid) const {
  constexpr unsigned kInLine = 3;
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
  const auto number = static_cast<std::uint32_t>(tgid);
  const std::uint64_t line = ((number >> kInLine) * kOdd) >> 32U;
  return ((line << kInLine) | (number & ((1U << kInLine) - 1))) & mask_;
}

RowId ProcessRows::Find(std::int32_t tgid) const {
  std::size_t place = HomeOf(tgid);
  while (places_[place].tgid != tgid) {
    if (places_[place].tgid == 0) {
      return kInvalidId;
    }
    place = Next(place);
  }
  return places_[place].row;
}

RowId ProcessRows::Insert(std::int32_t tgid) {
  const RowId id = rows_.Allocate();
  assert(id != kInvalidId && tgid != 0);
  std::size_t place = HomeOf(tgid);
  while (places_[place].tgid != 0) {
    place = Next(place);
  }
  places_[place] = {tgid, id};
  ProcessRow& row = rows_[id];
  row.tgid = tgid;
  row.serial = ++serials_;
  row.older = newest_;
  (newest_ == kInvalidId ? oldest_ : rows_[newest_].newer) = id;
  newest_ = id;
  ++threads_;
  return id;
}

void ProcessRows::Erase(RowId id) {
  ProcessRow& row = rows_[id];
  Forget(row.tgid);
  threads_ -= row.threads;
  (row.older == kInvalidId ? oldest_ : rows_[row.older].newer) = row.newer;
  (row.newer == kInvalidId ? newest_ : rows_[row.newer].older) = row.older;
  row.tgid = 0;
  rows_.Free(id);
}

void ProcessRows::SetThreads(RowId id, std::uint32_t threads) {
  threads_ += threads;
  threads_ -= rows_[id].threads;
  rows_[id].threads = threads;
}

// Closes the gap: whoever stands behind it and could stand in it moves there.
void ProcessRows::Forget(std::int32_t tgid) {
  std::size_t gap = HomeOf(tgid);
  while (places_[gap].tgid != tgid) {
    gap = Next(gap);
  }
  for (std::size_t place = Next(gap); places_[place].tgid != 0; place = Next(place)) {
    const std::size_t from_home = (place - HomeOf(places_[place].tgid)) & mask_;
    const std::size_t from_gap = (place - gap) & mask_;
    if (from_home >= from_gap) {
      places_[gap] = places_[place];
      gap = place;
    }
  }
  places_[gap] = {};
}

}  // namespace procevent
