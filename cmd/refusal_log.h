// Logs who was turned away, a few times a minute for each reason. The server's threads leave a note, and do not
// wait for the log; Serve's loop prints.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "cmd/limited_log.h"
#include "core/base/wake.h"
#include "exporter/refusals.h"

namespace procevent {

class RefusalLog {
 public:
  using Say = LimitedLog<kRefusals>::Say;
  // Throws std::runtime_error if there is no eventfd to be had.
  explicit RefusalLog(Say say);

  // Any thread.
  void Note(Refusal why, std::string_view client, std::uint64_t now_ns);

  // Serve's loop: readable when there is something to print, or to wait for.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  void Print(std::uint64_t now_ns);
  [[nodiscard]] std::optional<std::uint64_t> NextDue();

 private:
  Say say_;
  Wake wake_;
  std::mutex mutex_;            // whoever holds it may use what follows
  std::vector<LogText> lines_;  // to be printed; as many as the limit admits
  LimitedLog<kRefusals> limited_;
};

}  // namespace procevent
