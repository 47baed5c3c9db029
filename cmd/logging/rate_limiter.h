// FOLDED: rate_limit.h, limited_log.h
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/schema/effective_config.h"
#include "core/base/system.h"

namespace procevent {

// How often the same thing may be said: `lines` times per interval and key; what is more is counted, for one summary
// when the interval is over. Pure: the caller brings the clock.

template <std::size_t kKeys>
class RateLimiter {
 public:
  RateLimiter(std::uint32_t lines, std::uint64_t interval_ns) : lines_(lines), interval_ns_(interval_ns) {}

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
  [[nodiscard]] std::uint32_t TakeSuppressedCount(std::size_t key, std::uint64_t now_ns) {
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

// Says each kind of thing a few times a minute, and then once how often it was held back. Pure: the caller brings the
// clock, and what prints.

struct LogMessage {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

template <std::size_t kKinds>
class RateLimitedLog {
 public:
  using LogFunction = std::function<void(LogLevel level, std::string_view text)>;
  explicit RateLimitedLog(LogFunction say) : say_(std::move(say)) {}

  void Print(std::size_t kind, const LogMessage& text, std::uint64_t now_ns) {
    PrintDueSummaries(kind, now_ns);
    if (limit_.Admit(kind, now_ns)) {
      say_(text.level, text.text);
    } else {
      held_back_.at(kind) = text;
    }
  }
  // The summaries that are due.
  void PrintDueSummaries(std::uint64_t now_ns) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      PrintDueSummaries(kind, now_ns);
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limit_.NextDue(); }

 private:
  static constexpr std::uint32_t kLines = 5;
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  void PrintDueSummaries(std::size_t kind, std::uint64_t now_ns) {
    if (const std::uint32_t more = limit_.TakeSuppressedCount(kind, now_ns); more > 0) {
      const LogMessage& last = held_back_.at(kind);
      say_(last.level, last.text + " (" + std::to_string(more) + " more like this)");
    }
  }

  LogFunction say_;
  RateLimiter<kKinds> limit_{kLines, kInterval};
  std::array<LogMessage, kKinds> held_back_;  // the last of each
};

}  // namespace procevent
