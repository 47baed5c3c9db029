// The kernel's own count of forks, threads included: `processes` in /proc/stat. The audit of fork events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/owned_fd.h"
#include "core/base/result.h"

namespace procevent {

// Finds the number in a text that comes in pieces, cut anywhere.
class ForkCountParser {
 public:
  void Feed(std::string_view piece);
  // Known once the whole line has been fed.
  [[nodiscard]] std::optional<std::uint64_t> forks() const { return done_ ? std::optional(value_) : std::nullopt; }

 private:
  enum class At : std::uint8_t { kLineStart, kNumber, kElsewhere };
  void Feed(char character);

  At at_ = At::kLineStart;
  std::size_t matched_ = 0;
  bool any_digit_ = false;
  bool done_ = false;
  std::uint64_t value_ = 0;
};

class ProcStat {
 public:
  explicit ProcStat(const char* path = "/proc/stat");
  Result<std::uint64_t> Forks() const;

 private:
  OwnedFd fd_;
  int open_errno_ = 0;
};

}  // namespace procevent
