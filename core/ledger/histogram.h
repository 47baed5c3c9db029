// Counts by size. The bounds are set once; what is added or merged later allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace procevent {

class Histogram {
 public:
  Histogram() = default;
  // Upper bounds, inclusive (le), rising. One more bucket holds what is above the last.
  explicit Histogram(std::span<const std::uint64_t> upper)
      : upper_(upper.begin(), upper.end()), counts_(upper.size() + 1) {}

  void Add(std::uint64_t value);
  // `other` has the same bounds.
  Histogram& operator+=(const Histogram& other);
  void Clear();

  [[nodiscard]] bool has_bounds() const { return !upper_.empty(); }
  [[nodiscard]] const std::vector<std::uint64_t>& upper() const { return upper_; }
  // Of each bucket alone, not cumulative; the last is +Inf's.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t count() const;

  bool operator==(const Histogram&) const = default;

 private:
  std::vector<std::uint64_t> upper_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
};

}  // namespace procevent
