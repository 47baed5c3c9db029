// How often the same thing may be said: `lines` times per interval and key; what is more is counted, for one summary
// when the interval is over. Pure: the caller brings the clock.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace procevent {

template <std::size_t kKeys>
class RateLimit {
 public:
  RateLimit(std::uint32_t lines, std::uint64_t interval_ns) : lines_(lines), interval_ns_(interval_ns) {}

  // Whether to say it now. Take what is due first: a new interval forgets what the one before held back.
  [[nodiscard]] bool Admit(std::size_t key, std::uint64_t now_ns) {
    Window& window = windows_.at(key);
    if (now_ns >= window.end_ns) {
      window = {.end_ns = now_ns + interval_ns_};
    }
    const bool admitted = window.said < lines_;
    ++(admitted ? window.said : window.held_back);
    return admitted;
  }

  // How many were held back in the key's interval, once that is over; 0 before, and the next time.
  [[nodiscard]] std::uint32_t TakeDue(std::size_t key, std::uint64_t now_ns) {
    Window& window = windows_.at(key);
    return now_ns >= window.end_ns ? std::exchange(window.held_back, 0U) : 0;
  }

  // When the next summary is due, if there is one.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const {
    std::optional<std::uint64_t> next;
    for (const Window& window : windows_) {
      if (window.held_back > 0) {
        next = std::min(next.value_or(window.end_ns), window.end_ns);
      }
    }
    return next;
  }

 private:
  struct Window {
    std::uint64_t end_ns = 0;
    std::uint32_t said = 0;
    std::uint32_t held_back = 0;
  };

  std::uint32_t lines_;
  std::uint64_t interval_ns_;
  std::array<Window, kKeys> windows_{};
};

}  // namespace procevent
