// Histogram with bounds that are set at construction. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace procevent {

// A histogram whose bounds are set at construction. Add allocates nothing. The sum saturates.
class Histogram {
 public:
  Histogram() = default;
  // Upper bounds, inclusive (le), ascending. One more bucket counts values above the last bound.
  explicit Histogram(std::span<const std::uint64_t> upper)
      : upper_(upper.begin(), upper.end()), counts_(upper.size() + 1) {}

  void Add(std::uint64_t value);
  void Clear();

  [[nodiscard]] bool has_bounds() const { return !upper_.empty(); }
  [[nodiscard]] const std::vector<std::uint64_t>& upper() const { return upper_; }
  // Per bucket, not cumulative; the last one is +Inf.
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
