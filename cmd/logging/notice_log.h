// Logs the reader's notices and the server's refused requests, a few lines of each kind per minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "cmd/logging/log.h"
#include "cmd/logging/rate_limiter.h"
#include "core/base/file_descriptor.h"
#include "core/reader/notice_queue.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// Logs refused requests. The server's threads enqueue them without waiting for the log. The main loop prints them.
class RefusalLog {
 public:
  // Throws FatalError if no eventfd can be made.
  explicit RefusalLog(LogFunction log);

  // Called by any thread.
  void Enqueue(RefusalReason reason, std::string_view client, std::uint64_t now_ns);

  // Called by the main loop. The descriptor is readable when there is a line to print, or a new due time.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  void Print(std::uint64_t now_ns);
  [[nodiscard]] std::optional<std::uint64_t> NextDue();

 private:
  LogFunction log_;
  EventFd wake_;
  std::mutex mutex_;                 // guards the members below
  std::vector<LogMessage> pending_;  // to be printed; the rate limit bounds their number
  RateLimitedLog<kRefusalReasons> limited_log_;
};

LogMessage FormatNotice(const Notice& notice);

// Prints the reader's notices. Owned by the main loop.
class NoticeLog {
 public:
  // Consumes `notices`, which must outlive it.
  NoticeLog(NoticeQueue& notices, LogFunction log) : notices_(notices), log_(log), limited_log_(std::move(log)) {}

  // Readable when there is a notice to print.
  [[nodiscard]] int fd() const { return notices_.fd(); }
  // Prints all notices, and the summaries that are due.
  void Print(std::uint64_t now_ns);
  // The thread that posts the notices has ended by an exception, so the command must end with 1.
  [[nodiscard]] bool thread_failed() const { return notices_.thread_failed(); }
  // When Print has a summary to write even without a new notice.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limited_log_.NextDue(); }

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Notice::Kind::kThreadFailed) + 1;

  NoticeQueue& notices_;
  LogFunction log_;
  RateLimitedLog<kKinds> limited_log_;
  std::uint64_t reported_drops_ = 0;
};

}  // namespace procevent
