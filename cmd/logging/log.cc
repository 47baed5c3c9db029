#include "cmd/logging/log.h"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>

#include "core/base/text.h"

namespace procevent {

namespace {

void AppendUnit(std::string& out, char32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    out += kDigits[(unit >> shift) & 0xFU];
  }
}

// As JSON escapes it, in units of UTF-16; logfmt readers know the same escapes.
void AppendEscape(std::string& out, char32_t point) {
  constexpr char32_t kFirstPair = 0x10000;
  if (point == '\n') {
    out += "\\n";
  } else if (point < kFirstPair) {
    AppendUnit(out, point);
  } else {
    AppendUnit(out, 0xD800 + ((point - kFirstPair) >> 10U));
    AppendUnit(out, 0xDC00 + ((point - kFirstPair) & 0x3FFU));
  }
}

}  // namespace

std::string Quote(std::string_view text, std::size_t most_bytes) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string out = "\"";
  while (!text.empty()) {
    if (out.size() > most_bytes) {
      out += "...";
      break;
    }
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      AppendEscape(out, kReplacement);
      text.remove_prefix(1);
      continue;
    }
    if (text.front() == '"' || text.front() == '\\') {
      out += '\\';
    }
    if (IsPrintable(text, length)) {
      out += text.substr(0, length);
    } else {
      AppendEscape(out, CodePoint(text, length));
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

namespace {

constexpr std::size_t kMostMessageBytes = kMaxLineBytes - 128;  // the rest is for what stands around it

std::string Timestamp(std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const time_t clock = seconds.count();
  tm utc{};
  ::gmtime_r(&clock, &utc);
  std::array<char, 64> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
  const std::string millis = std::to_string((since_epoch - seconds).count());
  return std::string(text.data(), size) + std::string(3 - millis.size(), '0') + millis + 'Z';
}

}  // namespace

std::string FormatLogLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                          std::string_view message) {
  const std::string name(kLogLevelNames.at(static_cast<std::size_t>(level)));
  if (format == LogFormat::kJson) {
    return R"({"ts":")" + Timestamp(time) + R"(","level":")" + name + R"(","msg":)" +
           Quote(message, kMostMessageBytes) + "}\n";
  }
  return "ts=" + Timestamp(time) + " level=" + name + " msg=" + Quote(message, kMostMessageBytes) + '\n';
}

const char* DescribeFatal(const std::exception& fault) {
  if (dynamic_cast<const std::bad_alloc*>(&fault) != nullptr) {
    return "not enough memory; with the defaults 64 MiB are enough: raise ulimit -v and -d (systemd: LimitAS, "
           "LimitDATA), or lower processes.limit and comms.limit";
  }
  return fault.what();
}

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
      if (!Write(FormatLogLine(format_, message.time, LogLevel::kWarning, told))) {
        ++dropped_;
        return;
      }
      dropped_ = 0;
    }
    const std::string_view text(message.payload.data(), message.payload.size());
    if (!Write(FormatLogLine(format_, message.time, OwnLevel(message.level), text))) {
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

void Log::Write(LogLevel level, std::string_view message) const {
  logger_->log(SpdlogLevel(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace procevent
