// Prints what the reader has to say, each kind of notice a few times a minute. Serve's loop owns one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/rate_limit.h"
#include "config/log_options.h"
#include "core/reader/notices.h"

namespace procevent {

struct NoticeText {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};
NoticeText TextOf(const Notice& notice);

class NoticeLog {
 public:
  using Say = std::function<void(LogLevel level, std::string_view text)>;
  explicit NoticeLog(Say say) : say_(std::move(say)) {}

  // Prints all there is, and the summaries that are due.
  void Print(Notices& notices, std::uint64_t now_ns);
  // When Print has something to do though nothing was posted.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limit_.NextDue(); }

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Notice::Kind::kNoForkCount) + 1;
  static constexpr std::uint32_t kLines = 5;
  static constexpr std::uint64_t kIntervalNs = 60'000'000'000;

  Say say_;
  RateLimit<kKinds> limit_{kLines, kIntervalNs};
  std::array<NoticeText, kKinds> held_back_;  // the last of each
  std::uint64_t dropped_ = 0;                 // by the ring, as last told
};

}  // namespace procevent
