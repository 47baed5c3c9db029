// Limits how often a log line of the same kind is written. Pure: the caller passes the time and the log.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "cmd/logging/log.h"
#include "core/base/system.h"

namespace procevent {

// Admits `max_lines` lines per kind and interval, and counts the suppressed ones for a summary when the interval is
// over.
template <std::size_t kKinds>
class RateLimiter {
 public:
  RateLimiter(std::uint32_t max_lines, std::uint64_t interval_ns) : max_lines_(max_lines), interval_ns_(interval_ns) {}

  // Whether to write a line now. Call TakeSuppressedCount first: a new interval resets the count of the previous one.
  [[nodiscard]] bool Admit(std::size_t kind, std::uint64_t now_ns) {
    Window& window = windows_.at(kind);
    if (now_ns >= window.end_ns) {
      window = {.end_ns = now_ns + interval_ns_};
    }
    const bool admitted = window.admitted < max_lines_;
    ++(admitted ? window.admitted : window.suppressed);
    return admitted;
  }

  // Returns how many lines were suppressed in the kind's interval and resets that number. 0 before the interval is
  // over.
  [[nodiscard]] std::uint32_t TakeSuppressedCount(std::size_t kind, std::uint64_t now_ns) {
    Window& window = windows_.at(kind);
    return now_ns >= window.end_ns ? std::exchange(window.suppressed, 0U) : 0;
  }

  // When the next summary is due, if there is one.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const {
    std::optional<std::uint64_t> next;
    for (const Window& window : windows_) {
      if (window.suppressed > 0) {
        next = std::min(next.value_or(window.end_ns), window.end_ns);
      }
    }
    return next;
  }

 private:
  struct Window {
    std::uint64_t end_ns = 0;
    std::uint32_t admitted = 0;
    std::uint32_t suppressed = 0;
  };

  std::uint32_t max_lines_;
  std::uint64_t interval_ns_;
  std::array<Window, kKinds> windows_{};
};

// Writes at most five lines per kind and minute, then the last suppressed line again, with `suppressed`: how many were
// suppressed, this one included. Its other fields are its own, not sums.
template <std::size_t kKinds>
class RateLimitedLog {
 public:
  explicit RateLimitedLog(LogFunction log) : log_(std::move(log)) {}

  void Print(std::size_t kind, const LogMessage& message, std::uint64_t now_ns) {
    PrintDueSummary(kind, now_ns);
    if (limiter_.Admit(kind, now_ns)) {
      log_(message);
    } else {
      last_suppressed_.at(kind) = message;
    }
  }
  void PrintDueSummaries(std::uint64_t now_ns) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      PrintDueSummary(kind, now_ns);
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limiter_.NextDue(); }

 private:
  static constexpr std::uint32_t kMaxLines = 5;
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  void PrintDueSummary(std::size_t kind, std::uint64_t now_ns) {
    if (const std::uint32_t suppressed = limiter_.TakeSuppressedCount(kind, now_ns); suppressed > 0) {
      LogMessage summary = std::exchange(last_suppressed_.at(kind), {});
      summary.fields.insert(summary.fields.begin(), {"suppressed", std::uint64_t{suppressed}});
      log_(summary);
    }
  }

  LogFunction log_;
  RateLimiter<kKinds> limiter_{kMaxLines, kInterval};
  std::array<LogMessage, kKinds> last_suppressed_;
};

}  // namespace procevent
