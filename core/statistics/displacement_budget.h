// Bounds how many groups of the group table lose their row to a busier group.
//
// At most a tenth of the table's limit within any minute, and at most the limit within any hour. So a process that
// renames itself again and again makes a bounded number of series. The price of a row is four times as high with each
// tenth of the hour's budget that is used. So short storms under many names cannot use up the budget: its last tenths
// are left to storms of minutes. Pure. Owned by GroupTable. Single-threaded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace procevent {

class DisplacementBudget {
 public:
  explicit DisplacementBudget(std::size_t limit) : times_(limit) {}

  [[nodiscard]] bool Allows(std::uint64_t now_ns);
  // The activities by which a group must exceed the one that it displaces. Only while Allows() returns true.
  [[nodiscard]] std::uint64_t Price() const { return kLowestPrice << (2 * (used() * kSteps / times_.size())); }
  // Records a displacement that was allowed. Times must not decrease.
  void Record(std::uint64_t now_ns) { times_[recorded_++ % times_.size()] = now_ns; }
  // Raises the limit. Allocates.
  void Grow(std::size_t limit);

 private:
  static constexpr std::uint64_t kMinute = 60'000'000'000;
  static constexpr std::uint64_t kHour = 60 * kMinute;
  static constexpr std::uint64_t kLowestPrice = 10;
  static constexpr std::size_t kSteps = 10;

  [[nodiscard]] std::size_t used() const { return recorded_ - expired_; }  // within the last hour

  std::vector<std::uint64_t> times_;  // of the last displacements: a ring of as many as the limit
  std::size_t recorded_ = 0;
  std::size_t expired_ = 0;  // as many are older than an hour
};

inline bool DisplacementBudget::Allows(std::uint64_t now_ns) {
  const std::size_t limit = times_.size();
  while (expired_ < recorded_ && times_[expired_ % limit] + kHour <= now_ns) {
    ++expired_;
  }
  const std::size_t per_minute = std::max<std::size_t>(limit / 10, 1);
  return used() < limit && (used() < per_minute || times_[(recorded_ - per_minute) % limit] + kMinute <= now_ns);
}

inline void DisplacementBudget::Grow(std::size_t limit) {
  std::vector<std::uint64_t> times(limit);
  for (std::size_t i = 0; i < used(); ++i) {
    times[i] = times_[(expired_ + i) % times_.size()];
  }
  recorded_ = used();
  expired_ = 0;
  times_ = std::move(times);
}

}  // namespace procevent
