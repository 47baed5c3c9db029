// Says each kind of thing a few times a minute, and then once how often it was held back. Pure: the caller brings the
// clock, and what prints.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cmd/rate_limit.h"
#include "config/log_options.h"
#include "core/base/clock.h"

namespace procevent {

struct LogText {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

template <std::size_t kKinds>
class LimitedLog {
 public:
  using Say = std::function<void(LogLevel level, std::string_view text)>;
  explicit LimitedLog(Say say) : say_(std::move(say)) {}

  void Print(std::size_t kind, const LogText& text, std::uint64_t now_ns) {
    PrintDue(kind, now_ns);
    if (limit_.Admit(kind, now_ns)) {
      say_(text.level, text.text);
    } else {
      held_back_.at(kind) = text;
    }
  }
  // The summaries that are due.
  void PrintDue(std::uint64_t now_ns) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      PrintDue(kind, now_ns);
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limit_.NextDue(); }

 private:
  static constexpr std::uint32_t kLines = 5;
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  void PrintDue(std::size_t kind, std::uint64_t now_ns) {
    if (const std::uint32_t more = limit_.TakeDue(kind, now_ns); more > 0) {
      const LogText& last = held_back_.at(kind);
      say_(last.level, last.text + " (" + std::to_string(more) + " more like this)");
    }
  }

  Say say_;
  RateLimit<kKinds> limit_{kLines, kInterval};
  std::array<LogText, kKinds> held_back_;  // the last of each
};

}  // namespace procevent
