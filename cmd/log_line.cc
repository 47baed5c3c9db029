#include "cmd/log_line.h"

#include <time.h>

#include <array>

#include "cmd/quote.h"

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

}  // namespace

std::string LogLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                    std::string_view message) {
  const std::string name(kLogLevelNames.at(static_cast<std::size_t>(level)));
  if (format == LogFormat::kJson) {
    return R"({"ts":")" + Timestamp(time) + R"(","level":")" + name + R"(","msg":)" +
           Quote(message, kMostMessageBytes) + "}\n";
  }
  return "ts=" + Timestamp(time) + " level=" + name + " msg=" + Quote(message, kMostMessageBytes) + '\n';
}

}  // namespace procevent
