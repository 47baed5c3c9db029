// Logs who was turned away, a few times a minute for each reason. The server's threads call it.
#pragma once

#include <functional>
#include <mutex>
#include <string_view>

#include "cmd/rate_limit.h"
#include "config/log_options.h"
#include "core/base/clock.h"
#include "exporter/refusals.h"

namespace procevent {

class RefusalLog {
 public:
  using Say = std::function<void(LogLevel level, std::string_view text)>;
  explicit RefusalLog(Say say) : say_(std::move(say)) {}

  void Note(Refusal why, std::string_view client, std::uint64_t now_ns);

 private:
  static constexpr std::uint32_t kLines = 5;
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  Say say_;
  std::mutex mutex_;
  RateLimit<kRefusals> limit_{kLines, kInterval};
};

}  // namespace procevent
