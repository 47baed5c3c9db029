// Reads machine and process statistics from /proc: clone count, PID limit, and resource usage of this process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"

namespace procevent {

// Extracts the kernel's clone count (processes and threads), the line `processes` of /proc/stat. Accepts the text in
// pieces that end anywhere.
class CloneCountParser {
 public:
  void Feed(std::string_view piece);
  // Available after the complete line.
  [[nodiscard]] std::optional<std::uint64_t> clones() const { return clones_; }

 private:
  std::array<char, 32> line_{};  // the beginning of the current line; the key and any number fit
  std::size_t size_ = 0;
  std::optional<std::uint64_t> clones_;
};

// Reads the clone count, against which fork events are audited. The file stays open.
class ProcStatReader {
 public:
  explicit ProcStatReader(const char* path = "/proc/stat");
  Result<std::uint64_t> ReadCloneCount() const;

 private:
  OwnedFd fd_;
  int open_errno_ = 0;
};

// Limit of processes and threads of this machine, /proc/sys/kernel/pid_max. Returns nothing if it cannot be read.
// Called on the scraping thread.
std::optional<std::uint64_t> ReadPidMax();

// Resource usage of this process. A value that cannot be read stays empty.
struct ProcessStats {
  std::optional<double> cpu_seconds;
  std::optional<double> start_time_seconds;  // since the epoch
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> open_fds;
  std::optional<double> max_fds;            // infinity if unlimited
  std::optional<double> max_virtual_bytes;  // infinity if unlimited

  bool operator==(const ProcessStats&) const = default;
};

// Units and offsets to convert the values of /proc/self/stat.
struct MachineUnits {
  std::uint64_t ticks_per_second = 100;
  std::uint64_t page_bytes = 4096;
  double boot_time_seconds = 0;  // boot time since the epoch
};

// Call once: a boot time that is computed again varies with clock adjustments, and the start time with it.
MachineUnits ReadMachineUnits();

// Parses /proc/self/stat. The command name may contain any bytes, including brackets and newlines.
void ParseStat(std::string_view text, const MachineUnits& units, ProcessStats& stats);
// Parses /proc/self/limits.
void ParseLimits(std::string_view text, ProcessStats& stats);

// Called on the scraping thread.
ProcessStats ReadProcessStats(const MachineUnits& units);

}  // namespace procevent
