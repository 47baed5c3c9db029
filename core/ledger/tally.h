// What is counted for each command: the columns of a row of the comm table, and of the counts that wait for a name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace procevent {

enum class Count : std::uint8_t {
  kForks,
  kThreadsStarted,
  kThreadsEnded,
  kExecs,
  kSucceeded,  // processes that ended: with status 0,
  kFailed,     // with another,
  kKilled,     // or by a signal
  kCoredumps,
  kUnexeced,  // forked and ended without an exec
  kUidGainedRoot,
  kUidLeftRoot,
  kUidOther,
  kGidGainedRoot,
  kGidLeftRoot,
  kGidOther,
  kAttached,
  kDetached,
};
inline constexpr std::size_t kCounts = 17;

class Tally {
 public:
  [[nodiscard]] std::uint64_t& operator[](Count count) { return counts_[static_cast<std::size_t>(count)]; }
  [[nodiscard]] std::uint64_t operator[](Count count) const { return counts_[static_cast<std::size_t>(count)]; }
  Tally& operator+=(const Tally& other) {
    for (std::size_t i = 0; i < kCounts; ++i) {
      counts_[i] += other.counts_[i];
    }
    return *this;
  }
  Tally& operator-=(const Tally& other) {
    for (std::size_t i = 0; i < kCounts; ++i) {
      counts_[i] -= other.counts_[i];
    }
    return *this;
  }
  [[nodiscard]] bool empty() const { return *this == Tally(); }
  bool operator==(const Tally&) const = default;

 private:
  std::array<std::uint64_t, kCounts> counts_{};
};

}  // namespace procevent
