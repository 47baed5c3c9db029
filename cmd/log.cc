#include "cmd/log.h"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>

#include "cmd/log_line.h"

namespace procevent {
namespace {

bool IsWritableNow(int fd) {
  pollfd wanted{fd, POLLOUT, 0};
  return ::poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

LogLevel OwnLevel(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LogLevel::kDebug;
    case spdlog::level::warn:
      return LogLevel::kWarning;
    case spdlog::level::err:
    case spdlog::level::critical:
      return LogLevel::kError;
    default:
      return LogLevel::kInfo;
  }
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

// Writes a line if that cannot block, and counts it otherwise.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(LogFormat format, int fd) : format_(format), fd_(fd) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0) {
      const std::string told = "lines that could not be written before this one: " + std::to_string(dropped_);
      if (!Write(LogLine(format_, message.time, LogLevel::kWarning, told))) {
        ++dropped_;
        return;
      }
      dropped_ = 0;
    }
    const std::string_view text(message.payload.data(), message.payload.size());
    if (!Write(LogLine(format_, message.time, OwnLevel(message.level), text))) {
      ++dropped_;
    }
  }
  void flush_() override {}

 private:
  [[nodiscard]] bool Write(const std::string& line) const {
    if (!IsWritableNow(fd_)) {
      return false;
    }
    ssize_t written = 0;
    do {
      written = ::write(fd_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    return written > 0;
  }

  LogFormat format_;
  int fd_;
  std::uint64_t dropped_ = 0;
};

}  // namespace

Log::Log(const LogOptions& options, int fd)
    : logger_(std::make_unique<spdlog::logger>("procevent", std::make_shared<LineSink>(options.format, fd))) {
  logger_->set_level(SpdlogLevel(options.level));
}

Log::~Log() = default;

void Log::SetLevel(LogLevel level) { logger_->set_level(SpdlogLevel(level)); }

void Log::Say(LogLevel level, std::string_view message) const {
  logger_->log(SpdlogLevel(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace procevent
