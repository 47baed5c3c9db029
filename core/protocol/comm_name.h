// A command's name as the kernel keeps it: up to 15 bytes of anything but NUL. Every room above speaks of names so.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/protocol/event.h"

namespace procevent {

class CommName {
 public:
  static constexpr std::size_t kMostBytes = kCommSize - 1;

  CommName() = default;
  // Ends at the first NUL; /proc shows kernel threads by longer names, and those are cut.
  explicit CommName(std::string_view bytes) {
    bytes = bytes.substr(0, std::min(bytes.find('\0'), kMostBytes));
    std::ranges::copy(bytes, bytes_.begin());
  }
  explicit CommName(const std::array<char, kCommSize>& comm) : CommName(std::string_view(comm.data(), comm.size())) {}

  [[nodiscard]] std::string_view view() const {
    return {bytes_.data(), static_cast<std::size_t>(std::ranges::find(bytes_, '\0') - bytes_.begin())};
  }
  [[nodiscard]] std::uint64_t hash() const {
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), bytes_.data(), bytes_.size());
    const std::uint64_t mixed = (halves[0] * kOdd) ^ halves[1];
    return ((mixed ^ (mixed >> 32U)) * kOdd) >> 32U;
  }
  bool operator==(const CommName&) const = default;

 private:
  std::array<char, kCommSize> bytes_{};  // the rest is NUL
};

}  // namespace procevent
