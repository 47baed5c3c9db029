// How long events waited between the kernel and the ledger. Fixed bounds; Add costs a few instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace procevent {

class DelayHistogram {
 public:
  static constexpr std::size_t kBounds = 14;
  // Upper bounds, inclusive (le). One more bucket holds what is above the last.
  static constexpr std::array<std::uint64_t, kBounds> kUpperNanos{
      10'000,     50'000,     100'000,    500'000,     1'000'000,   2'500'000,     5'000'000,
      10'000'000, 25'000'000, 50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

  void Add(std::uint64_t nanos);

  // Of each bucket alone, not cumulative; the last is +Inf's.
  [[nodiscard]] const std::array<std::uint64_t, kBounds + 1>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum_nanos() const { return sum_nanos_; }

  bool operator==(const DelayHistogram& other) const {
    return counts_ == other.counts_ && sum_nanos_ == other.sum_nanos_;
  }

 private:
  std::array<std::uint64_t, kBounds + 1> counts_{};
  std::uint64_t sum_nanos_ = 0;
  std::size_t last_ = 0;  // the bucket of the last one
};

}  // namespace procevent
