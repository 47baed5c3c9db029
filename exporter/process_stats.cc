#include "exporter/process_stats.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "core/base/clock.h"
#include "core/base/words.h"

namespace procevent {
namespace {

// The soft limit in a line like "Max open files   1024   4096   files".
std::optional<double> SoftLimit(std::string_view text, std::string_view name) {
  const std::size_t line = text.find(name);
  if (line == std::string_view::npos || (line > 0 && text[line - 1] != '\n')) {
    return std::nullopt;
  }
  text.remove_prefix(line + name.size());
  text = text.substr(0, text.find('\n'));
  const std::string_view limit = TakeWord(text);
  if (limit == "unlimited") {
    return std::numeric_limits<double>::infinity();
  }
  const auto number = NumberOf<std::uint64_t>(limit);
  return number ? std::optional(AsValue(*number)) : std::nullopt;
}

// A file of /proc, up to a bound far above what it holds.
std::string ReadText(const char* path) {
  constexpr std::streamsize kMostBytes = 16384;
  std::string text(kMostBytes, '\0');
  std::ifstream file(path);
  file.read(text.data(), kMostBytes);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::optional<std::uint64_t> CountOpenFds() {
  std::error_code fault;
  std::uint64_t fds = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", fault);
  const std::filesystem::directory_iterator end;
  while (!fault && entry != end) {
    ++fds;
    entry.increment(fault);
  }
  if (fault || fds == 0) {
    return std::nullopt;
  }
  return fds - 1;  // without the one that looked
}

}  // namespace

MachineUnits ReadMachineUnits() {
  MachineUnits units;
  units.ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  units.page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  units.boot_time_seconds = SecondsOf(NanosOf(CLOCK_REALTIME)) - SecondsOf(NanosOf(CLOCK_BOOTTIME));
  return units;
}

void ParseStat(std::string_view text, const MachineUnits& units, ProcessStats& stats) {
  // Fields by proc(5)'s numbers; the first two end with the last bracket.
  constexpr std::size_t kAfterComm = 3;
  constexpr std::size_t kUserTicks = 14;
  constexpr std::size_t kSystemTicks = 15;
  constexpr std::size_t kThreads = 20;
  constexpr std::size_t kStartTicks = 22;
  constexpr std::size_t kVirtualBytes = 23;
  constexpr std::size_t kResidentPages = 24;
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string_view::npos) {
    return;
  }
  text.remove_prefix(bracket + 1);
  std::array<std::optional<std::uint64_t>, kResidentPages + 1> fields;
  for (std::size_t field = kAfterComm; field < fields.size(); ++field) {
    fields[field] = NumberOf<std::uint64_t>(TakeWord(text));
  }
  const double ticks = AsValue(units.ticks_per_second);
  if (fields[kUserTicks] && fields[kSystemTicks]) {
    stats.cpu_seconds = AsValue(*fields[kUserTicks] + *fields[kSystemTicks]) / ticks;
  }
  if (fields[kStartTicks]) {
    stats.start_time_seconds = units.boot_time_seconds + AsValue(*fields[kStartTicks]) / ticks;
  }
  if (fields[kResidentPages]) {
    stats.resident_bytes = *fields[kResidentPages] * units.page_bytes;
  }
  stats.virtual_bytes = fields[kVirtualBytes];
  stats.threads = fields[kThreads];
}

void ParseLimits(std::string_view text, ProcessStats& stats) {
  stats.max_fds = SoftLimit(text, "Max open files ");
  stats.max_virtual_bytes = SoftLimit(text, "Max address space ");
}

ProcessStats ReadProcessStats(const MachineUnits& units) {
  ProcessStats stats;
  ParseStat(ReadText("/proc/self/stat"), units, stats);
  ParseLimits(ReadText("/proc/self/limits"), stats);
  stats.open_fds = CountOpenFds();
  return stats;
}

Families ProcessFamilies(const ProcessStats& stats) {
  Families families;
  const auto gauge = [&families](const auto& value, const Metric& metric) {
    if (value) {
      families.push_back(Family(metric, static_cast<double>(*value)));
    }
  };
  if (stats.cpu_seconds) {
    families.push_back(Family(Catalogued("process_cpu_seconds_total"), *stats.cpu_seconds));
  }
  gauge(stats.resident_bytes, Catalogued("process_resident_memory_bytes"));
  gauge(stats.virtual_bytes, Catalogued("process_virtual_memory_bytes"));
  gauge(stats.max_virtual_bytes, Catalogued("process_virtual_memory_max_bytes"));
  gauge(stats.start_time_seconds, Catalogued("process_start_time_seconds"));
  gauge(stats.open_fds, Catalogued("process_open_fds"));
  gauge(stats.max_fds, Catalogued("process_max_fds"));
  gauge(stats.threads, Catalogued("process_threads"));
  return families;
}

}  // namespace procevent
