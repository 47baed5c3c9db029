// A bounded store of things that keep their place: taken and given back in any order, without allocating after it was
// made. Memory is touched only as far as it was ever needed. For the tables of the ledger.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace procevent {

using SlabId = std::uint32_t;
inline constexpr SlabId kNowhere = UINT32_MAX;

template <typename T>
class Slab {
 public:
  explicit Slab(std::size_t capacity) : capacity_(capacity) {
    items_.reserve(capacity);
    free_.reserve(capacity);
  }

  // A fresh one, or kNowhere if all are taken.
  [[nodiscard]] SlabId Take() {
    if (!free_.empty()) {
      const SlabId id = free_.back();
      free_.pop_back();
      items_[id] = T();
      return id;
    }
    if (items_.size() == capacity_) {
      return kNowhere;
    }
    items_.emplace_back();
    return static_cast<SlabId>(items_.size() - 1);
  }
  void Give(SlabId id) {
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

}  // namespace procevent
