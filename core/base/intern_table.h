// Table of distinct values: equal values share one entry with a small, dense id.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/hash.h"

namespace procevent {

inline constexpr std::uint32_t kNoEntry = UINT32_MAX;

// Counts the references to each value, and keeps a number of values without references in case they return. Beyond that
// number a new value takes the entry that has been without references the longest.
//
// Allocates only when the table grows, which is bounded by the values in use at the same time. `Value` has operator==
// and hash(seed). The seed is random, so that no user of the host can choose values that slow the table down; no id
// depends on it. An entry keeps its id, but not its address. Single-threaded.
template <typename Value>
class InternTable {
 public:
  using Id = std::uint32_t;

  struct Entry {
    Value value;
    Id id = kNoEntry;
    std::uint32_t serial = 0;  // differs between the values that the entry had one after the other
    std::uint32_t references = 0;
    Id next_in_bucket = kNoEntry;
    Id older = kNoEntry;  // list of the entries without references
    Id newer = kNoEntry;
  };

  explicit InternTable(std::size_t max_unused) : max_unused_(max_unused), buckets_(kFirstBuckets, kNoEntry) {
    entries_.reserve(kFirstBuckets);
  }

  // Returns the id of the value, with one more reference.
  Id Intern(const Value& value) {
    const std::uint64_t hash = value.hash(seed_);
    Id id = buckets_[BucketOf(hash)];
    while (id != kNoEntry && !(entries_[id].value == value)) {
      id = entries_[id].next_in_bucket;
    }
    if (id == kNoEntry) {
      id = Add(value, hash);
    }
    AddReference(id);
    return id;
  }
  void AddReference(Id id) {
    if (entries_[id].references++ == 0) {
      RemoveFromUnused(id);
    }
  }
  void Release(Id id) {
    assert(entries_[id].references > 0);
    if (--entries_[id].references == 0) {
      AppendToUnused(id);
    }
  }

  [[nodiscard]] const Entry& operator[](Id id) const { return entries_[id]; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }  // entries with and without references

 private:
  static constexpr std::size_t kFirstBuckets = 1024;  // a power of two, as every later number

  [[nodiscard]] std::size_t BucketOf(std::uint64_t hash) const { return hash & (buckets_.size() - 1); }

  // The new entry is in the list of those without references.
  Id Add(const Value& value, std::uint64_t hash) {
    Id id = oldest_unused_;
    if (unused_ > max_unused_) {
      RemoveFromBucket(id);
    } else {
      id = static_cast<Id>(entries_.size());
      entries_.push_back({.value = value, .id = id});
      AppendToUnused(id);
      GrowBuckets();
    }
    Entry& entry = entries_[id];
    entry.value = value;
    ++entry.serial;
    Link(id, hash);
    return id;
  }
  void Link(Id id, std::uint64_t hash) {
    Id& first = buckets_[BucketOf(hash)];
    entries_[id].next_in_bucket = first;
    first = id;
  }
  void RemoveFromBucket(Id id) {
    Id* link = &buckets_[BucketOf(entries_[id].value.hash(seed_))];
    while (*link != id) {
      link = &entries_[*link].next_in_bucket;
    }
    *link = entries_[id].next_in_bucket;
  }
  // Leaves out the last entry, which is not linked yet.
  void GrowBuckets() {
    if (entries_.size() <= buckets_.size()) {
      return;
    }
    buckets_.assign(2 * buckets_.size(), kNoEntry);
    for (Id id = 0; id + 1 < entries_.size(); ++id) {
      Link(id, entries_[id].value.hash(seed_));
    }
  }

  void AppendToUnused(Id id) {
    entries_[id].older = newest_unused_;
    entries_[id].newer = kNoEntry;
    (newest_unused_ == kNoEntry ? oldest_unused_ : entries_[newest_unused_].newer) = id;
    newest_unused_ = id;
    ++unused_;
  }
  void RemoveFromUnused(Id id) {
    const Entry& entry = entries_[id];
    (entry.older == kNoEntry ? oldest_unused_ : entries_[entry.older].newer) = entry.newer;
    (entry.newer == kNoEntry ? newest_unused_ : entries_[entry.newer].older) = entry.older;
    --unused_;
  }

  const std::uint64_t seed_ = RandomSeed();
  std::size_t max_unused_;
  std::vector<Entry> entries_;
  std::vector<Id> buckets_;
  Id oldest_unused_ = kNoEntry;
  Id newest_unused_ = kNoEntry;
  std::size_t unused_ = 0;
};

}  // namespace procevent
