#include "cmd/log_line.h"

#include <time.h>

#include <array>
#include <cstdio>

#include "config/text.h"
#include "core/base/utf8.h"

namespace procevent {
namespace {

constexpr std::size_t kMostMessageBytes = kMostLineBytes - 128;  // the rest is for what stands around it

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

std::string Quote(std::string_view message) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string out = "\"";
  while (!message.empty()) {
    if (out.size() > kMostMessageBytes) {
      out += "...";
      break;
    }
    const std::size_t length = Utf8Length(message);
    if (length == 0) {
      AppendEscape(out, kReplacement);
      message.remove_prefix(1);
      continue;
    }
    if (message.front() == '"' || message.front() == '\\') {
      out += '\\';
    }
    if (IsPrintable(message, length)) {
      out += message.substr(0, length);
    } else {
      AppendEscape(out, CodePoint(message, length));
    }
    message.remove_prefix(length);
  }
  return out + '"';
}

}  // namespace

std::string LogLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                    std::string_view message) {
  const std::string name(kLogLevelNames.at(static_cast<std::size_t>(level)));
  if (format == LogFormat::kJson) {
    return R"({"ts":")" + Timestamp(time) + R"(","level":")" + name + R"(","msg":)" + Quote(message) + "}\n";
  }
  return "ts=" + Timestamp(time) + " level=" + name + " msg=" + Quote(message) + '\n';
}

}  // namespace procevent
