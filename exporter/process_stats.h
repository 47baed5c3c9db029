// What this process costs, from /proc/self: parsers that are pure over text, and the one function that reads.
// For the metrics collector, on the scraping thread. What cannot be read stays empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exporter/family.h"

namespace procevent {

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

// A family for each value that is there.
Families ProcessFamilies(const ProcessStats& stats);

}  // namespace procevent
