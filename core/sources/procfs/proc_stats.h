// FOLDED: proc_stat.h, pid_limit.h, process_stats.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"

namespace procevent {

// The kernel's own count of forks, threads included: `processes` in /proc/stat. The audit of fork events.

// Finds the number in a text that comes in pieces, cut anywhere.
class CloneCountParser {
 public:
  void Feed(std::string_view piece);
  // Known once the whole line has been fed.
  [[nodiscard]] std::optional<std::uint64_t> forks() const { return done_ ? std::optional(value_) : std::nullopt; }

 private:
  enum class At : std::uint8_t { kLineStart, kNumber, kElsewhere };
  void Feed(char character);

  At at_ = At::kLineStart;
  std::size_t matched_ = 0;
  bool any_digit_ = false;
  bool done_ = false;
  std::uint64_t value_ = 0;
};

class ProcStatReader {
 public:
  explicit ProcStatReader(const char* path = "/proc/stat");
  Result<std::uint64_t> ReadCloneCount() const;

 private:
  OwnedFd fd_;
  int open_errno_ = 0;
};

// How many processes and threads this machine can have at once. For the metrics collector, on the scraping thread.

// /proc/sys/kernel/pid_max; nothing if it cannot be read.
std::optional<std::uint64_t> ReadPidMax();

// What this process costs, from /proc/self: parsers that are pure over text, and the one function that reads.
// For the metrics collector, on the scraping thread. What cannot be read stays empty.

struct ProcessStats {
  std::optional<double> cpu_seconds;
  std::optional<double> start_time_seconds;  // since the epoch
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> open_fds;
  std::optional<double> max_fds;            // infinity where unlimited
  std::optional<double> max_virtual_bytes;  // infinity where unlimited

  bool operator==(const ProcessStats&) const = default;
};

struct MachineUnits {
  std::uint64_t ticks_per_second = 100;
  std::uint64_t page_bytes = 4096;
  double boot_time_seconds = 0;  // when the machine started, since the epoch
};

// Of the running machine. The boot time is taken once, so that the start time does not waver with the clock.
MachineUnits ReadMachineUnits();

// /proc/self/stat; its comm may hold anything, brackets and newlines too.
void ParseStat(std::string_view text, const MachineUnits& units, ProcessStats& stats);
// /proc/self/limits.
void ParseLimits(std::string_view text, ProcessStats& stats);

ProcessStats ReadProcessStats(const MachineUnits& units);

}  // namespace procevent
