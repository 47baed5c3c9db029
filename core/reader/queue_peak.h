// The fullest the receive queue was in the last minute: one figure a slot of six seconds, the oldest slot forgotten as
// a new one begins. Pure; the reader owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace procevent {

class QueuePeak {
 public:
  void Note(std::uint32_t bytes, std::uint64_t now_ns);
  // Over the last 54 to 60 seconds.
  [[nodiscard]] std::uint32_t Peak(std::uint64_t now_ns);

 private:
  static constexpr std::size_t kSlots = 10;
  static constexpr std::uint64_t kSlotNanos = 6'000'000'000;
  void Forget(std::uint64_t slot);

  std::array<std::uint32_t, kSlots> slots_{};
  std::uint64_t newest_ = 0;
};

}  // namespace procevent
