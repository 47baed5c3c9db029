#include "cmd/logging/log.h"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include "core/base/fatal_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

void AppendUnit(std::string& out, char32_t unit) {
  out += "\\u";
  AppendHex(out, unit, 4);
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

// Quotes a text for both formats: as a JSON string, whose escapes logfmt readers know, too. The result is one line of
// valid UTF-8 for any bytes. A text longer than about `max_bytes` ends in "...".
std::string Quote(std::string_view text, std::size_t max_bytes) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string out = "\"";
  while (!text.empty()) {
    if (out.size() > max_bytes) {
      out += "...";
      break;
    }
    const std::size_t length = Utf8Length(text);
    if (length != 0 && IsPrintable(text, length)) {
      out += text.front() == '"' || text.front() == '\\' ? "\\" : "";
      out += text.substr(0, length);
    } else {
      AppendEscape(out, length != 0 ? CodePoint(text, length) : kReplacement);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

constexpr std::size_t kMaxBodyBytes = kMaxLineBytes - 128;  // the rest is for ts, level and punctuation
constexpr std::size_t kMinTextBytes = 128;

// The length that each of `fields` fields may have. Their sum leaves kMinTextBytes for the text.
constexpr std::size_t MaxFieldBytes(std::size_t fields) {
  constexpr std::size_t kOverhead = 40;  // key, quotes, last escape
  return (kMaxBodyBytes - kMinTextBytes) / fields - kOverhead;
}
static_assert(MaxFieldBytes(kMaxLogFields) >= 256);

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

std::string FormatValue(const LogField& field, std::size_t max_bytes) {
  if (const auto* const number = std::get_if<std::uint64_t>(&field.value)) {
    return std::to_string(*number);
  }
  if (const auto* const flag = std::get_if<bool>(&field.value)) {
    return *flag ? "true" : "false";
  }
  return Quote(std::get<std::string>(field.value), max_bytes);
}

std::string FormatFields(LogFormat format, std::span<const LogField> fields) {
  assert(fields.size() <= kMaxLogFields);
  const bool json = format == LogFormat::kJson;
  const std::size_t count = std::min(fields.size(), kMaxLogFields);
  std::string out;
  for (const LogField& field : fields.first(count)) {
    out += json ? ",\"" : " ";
    out += field.key;
    out += (json ? "\":" : "=") + FormatValue(field, MaxFieldBytes(count));
  }
  return out;
}

// The text and the fields of a line.
std::string FormatBody(LogFormat format, const LogMessage& message) {
  const std::string fields = FormatFields(format, message.fields);
  return (format == LogFormat::kJson ? R"("msg":)" : "msg=") + Quote(message.text, kMaxBodyBytes - fields.size()) +
         fields;
}

std::string FormatLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                       std::string_view body) {
  const std::string name(kLogLevelNames.at(static_cast<std::size_t>(level)));
  if (format == LogFormat::kJson) {
    return R"({"ts":")" + Timestamp(time) + R"(","level":")" + name + R"(",)" + std::string(body) + "}\n";
  }
  return "ts=" + Timestamp(time) + " level=" + name + ' ' + std::string(body) + '\n';
}

bool IsWritableNow(int fd) {
  pollfd wanted{fd, POLLOUT, 0};
  return ::poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

LogLevel FromSpdlogLevel(spdlog::level::level_enum level) {
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

spdlog::level::level_enum ToSpdlogLevel(LogLevel level) {
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

// Writes a line if that cannot block, and counts it otherwise. The payload is the formatted body of a line.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(LogFormat format, int fd) : format_(format), fd_(fd) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0) {
      const LogMessage summary{
          LogLevel::kWarning, "log lines dropped: they could not be written without blocking", {{"dropped", dropped_}}};
      if (!Write(FormatLogLine(format_, message.time, summary))) {
        ++dropped_;
        return;
      }
      dropped_ = 0;
    }
    const std::string_view body(message.payload.data(), message.payload.size());
    if (!Write(FormatLine(format_, message.time, FromSpdlogLevel(message.level), body))) {
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

LogMessage MakeErrorMessage(LogLevel level, const Error& error) {
  LogMessage message{level, Describe(error)};
  if (error.cause.code != 0) {
    message.fields.push_back({"err", std::generic_category().message(error.cause.code)});
  }
  return message;
}

std::string FormatLogLine(LogFormat format, std::chrono::system_clock::time_point time, const LogMessage& message) {
  return FormatLine(format, time, message.level, FormatBody(format, message));
}

LogMessage MakeFatalMessage(const std::exception& error) {
  if (const auto* const fatal = dynamic_cast<const FatalError*>(&error)) {
    return MakeErrorMessage(LogLevel::kError, fatal->error());
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return MakeErrorMessage(LogLevel::kError, kOutOfMemory);
  }
  return {LogLevel::kError, error.what()};
}

Log::Log(const LogOptions& options, int fd)
    : format_(options.format),
      logger_(std::make_unique<spdlog::logger>("procevent", std::make_shared<LineSink>(options.format, fd))) {
  logger_->set_level(ToSpdlogLevel(options.level));
}

Log::~Log() = default;

void Log::SetLevel(LogLevel level) { logger_->set_level(ToSpdlogLevel(level)); }

void Log::Write(const LogMessage& message) const {
  const spdlog::level::level_enum level = ToSpdlogLevel(message.level);
  if (logger_->should_log(level)) {
    const std::string body = FormatBody(format_, message);
    logger_->log(level, spdlog::string_view_t(body.data(), body.size()));
  }
}

}  // namespace procevent
