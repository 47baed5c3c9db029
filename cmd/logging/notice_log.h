// FOLDED: refusal_log.h, notice_log.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "cmd/logging/rate_limiter.h"
#include "core/base/file_descriptor.h"
#include "core/reader/notice_queue.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// Logs who was turned away, a few times a minute for each reason. The server's threads leave a note, and do not
// wait for the log; Serve's loop prints.

class RefusalLog {
 public:
  using LogFunction = RateLimitedLog<kRefusalReasons>::LogFunction;
  // Throws std::runtime_error if there is no eventfd to be had.
  explicit RefusalLog(LogFunction say);

  // Any thread.
  void Enqueue(RefusalReason why, std::string_view client, std::uint64_t now_ns);

  // Serve's loop: readable when there is something to print, or to wait for.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  void Print(std::uint64_t now_ns);
  [[nodiscard]] std::optional<std::uint64_t> NextDue();

 private:
  LogFunction say_;
  EventFd wake_;
  std::mutex mutex_;               // whoever holds it may use what follows
  std::vector<LogMessage> lines_;  // to be printed; as many as the limit admits
  RateLimitedLog<kRefusalReasons> limited_;
};

// Prints what the reader has to say, each kind of notice a few times a minute. Serve's loop owns one.

LogMessage FormatNotice(const Notice& notice);

class NoticeLog {
 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Notice::Kind::kReplayFailed) + 1;

 public:
  using LogFunction = RateLimitedLog<kKinds>::LogFunction;
  // `notices` must outlive it, and are taken by nobody else.
  NoticeLog(NoticeQueue& notices, LogFunction say) : notices_(notices), say_(say), limited_(std::move(say)) {}

  // Readable when there is something to print.
  [[nodiscard]] int fd() const { return notices_.fd(); }
  // Prints all there is, and the summaries that are due.
  void Print(std::uint64_t now_ns);
  // When Print has something to do though nothing was posted.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limited_.NextDue(); }

 private:
  NoticeQueue& notices_;
  LogFunction say_;
  RateLimitedLog<kKinds> limited_;
  std::uint64_t dropped_ = 0;  // by the ring, as last told
};

}  // namespace procevent
