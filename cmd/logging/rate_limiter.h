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

// Writes at most `max_lines` lines per kind and interval, then the last suppressed line again, with `suppressed`: how
// many were suppressed, this one included. Its other fields are its own, not sums.
template <std::size_t kKinds>
class RateLimitedLog {
 public:
  explicit RateLimitedLog(LogFunction log, std::uint32_t max_lines = 5,
                          std::uint64_t interval_ns = 60 * kNanosPerSecond)
      : log_(std::move(log)), max_lines_(max_lines), interval_ns_(interval_ns) {}

  void Print(std::size_t kind, const LogMessage& message, std::uint64_t now_ns) {
    Window& window = windows_.at(kind);
    if (now_ns >= window.end_ns) {
      PrintSummary(window);
      window = {.end_ns = now_ns + interval_ns_};
    }
    if (window.printed < max_lines_) {
      ++window.printed;
      log_(message);
    } else {
      ++window.suppressed;
      window.last_suppressed = message;
    }
  }
  // Prints the summary of each interval that is over.
  void PrintDueSummaries(std::uint64_t now_ns) {
    for (Window& window : windows_) {
      if (now_ns >= window.end_ns) {
        PrintSummary(window);
      }
    }
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
    std::uint32_t printed = 0;
    std::uint32_t suppressed = 0;
    LogMessage last_suppressed = {};
  };

  void PrintSummary(Window& window) {
    if (const std::uint64_t suppressed = std::exchange(window.suppressed, 0U); suppressed > 0) {
      LogMessage summary = std::exchange(window.last_suppressed, {});
      summary.fields.insert(summary.fields.begin(), {"suppressed", suppressed});
      log_(summary);
    }
  }

  LogFunction log_;
  std::uint32_t max_lines_;
  std::uint64_t interval_ns_;
  std::array<Window, kKinds> windows_{};
};

}  // namespace procevent
