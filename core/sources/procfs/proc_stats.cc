#include "core/sources/procfs/proc_stats.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "core/base/system.h"
#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::string_view kKey = "processes ";
constexpr std::string_view kRemedy =
    "mount all of /proc (systemd: ProcSubset=all); without it fork events cannot be audited";

}  // namespace

void CloneCountParser::Feed(std::string_view piece) {
  for (const char character : piece) {
    if (character != '\n') {
      if (size_ < line_.size()) {
        line_[size_++] = character;
      }
      continue;
    }
    const std::string_view line(line_.data(), size_);
    if (!clones_ && line.starts_with(kKey)) {
      clones_ = ParseInteger<std::uint64_t>(line.substr(kKey.size()));
    }
    size_ = 0;
  }
}

ProcStatReader::ProcStatReader(const char* path)
    : fd_(::open(path, O_RDONLY | O_CLOEXEC)), open_errno_(fd_.valid() ? 0 : errno) {}

Result<std::uint64_t> ProcStatReader::ReadCloneCount() const {
  if (!fd_.valid()) {
    return Error{"open /proc/stat", open_errno_, kRemedy};
  }
  CloneCountParser parser;
  std::array<char, 4096> piece{};
  off_t offset = 0;
  while (!parser.clones()) {
    const ssize_t got = ::pread(fd_.get(), piece.data(), piece.size(), offset);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Error{"read `processes` from /proc/stat", got < 0 ? Cause(errno) : Cause("it has no such line"), kRemedy};
    }
    parser.Feed({piece.data(), static_cast<std::size_t>(got)});
    offset += got;
  }
  return *parser.clones();
}

std::optional<std::uint64_t> ReadPidMax() {
  std::ifstream file("/proc/sys/kernel/pid_max");
  std::uint64_t limit = 0;
  return file >> limit ? std::optional(limit) : std::nullopt;
}

namespace {

double Seconds(std::uint64_t nanos) { return static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond); }

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
  const auto number = ParseInteger<std::uint64_t>(limit);
  return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

// Reads a file of /proc, up to a bound far above its size.
std::string ReadText(const char* path) {
  constexpr std::streamsize kMaxBytes = 16384;
  std::string text(kMaxBytes, '\0');
  std::ifstream file(path);
  file.read(text.data(), kMaxBytes);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::optional<std::uint64_t> CountOpenFds() {
  std::error_code error;
  std::uint64_t fds = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  const std::filesystem::directory_iterator end;
  while (!error && entry != end) {
    ++fds;
    entry.increment(error);
  }
  if (error || fds == 0) {
    return std::nullopt;
  }
  return fds - 1;  // without the descriptor of the directory iterator
}

}  // namespace

MachineUnits ReadMachineUnits() {
  MachineUnits units;
  units.ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  units.page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  units.boot_time_seconds = Seconds(ClockNanos(CLOCK_REALTIME)) - Seconds(ClockNanos(CLOCK_BOOTTIME));
  return units;
}

void ParseStat(std::string_view text, const MachineUnits& units, ProcessStats& stats) {
  // Field numbers of proc(5). Fields 1 and 2 end at the last bracket.
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
    fields[field] = ParseInteger<std::uint64_t>(TakeWord(text));
  }
  const auto ticks = static_cast<double>(units.ticks_per_second);
  if (fields[kUserTicks] && fields[kSystemTicks]) {
    stats.cpu_seconds = static_cast<double>(*fields[kUserTicks] + *fields[kSystemTicks]) / ticks;
  }
  if (fields[kStartTicks]) {
    stats.start_time_seconds = units.boot_time_seconds + static_cast<double>(*fields[kStartTicks]) / ticks;
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

}  // namespace procevent
