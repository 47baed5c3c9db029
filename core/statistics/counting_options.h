// Options of the tracker and the statistics, as the configuration sets them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace procevent {

// A rule that maps every process name that matches to one name.
struct NameGroup {
  std::string match;  // RE2 expression for the whole name
  std::string name;   // \1 to \9 stand for the captures of `match`
  bool operator==(const NameGroup&) const = default;
};

// Limits, histogram bounds and name rules.
struct CountingOptions {
  std::size_t process_limit = 65'536;  // rows of the process table
  std::size_t group_limit = 500;       // rows of the group table, without the reserved ones
  std::chrono::milliseconds group_retire_after = std::chrono::hours(1);
  std::vector<NameGroup> name_groups{{.match = "kworker/.*", .name = "kworker"}};

  // Upper bounds of the histogram buckets, ascending.
  std::vector<std::uint64_t> exit_code_bounds{0, 1, 2, 63, 125, 126, 127, 128, 130, 134, 137, 139, 143, 254, 255};
  std::vector<std::chrono::milliseconds> lifetime_bounds{
      std::chrono::milliseconds(1),   std::chrono::milliseconds(2),   std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(20),  std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::seconds(2),        std::chrono::seconds(5),
      std::chrono::seconds(10),       std::chrono::seconds(30),       std::chrono::minutes(1),
      std::chrono::minutes(5),        std::chrono::minutes(15),       std::chrono::hours(1)};
  bool exit_code_by_group = false;
  bool lifetime_by_group = false;

  bool operator==(const CountingOptions&) const = default;
};

// The bounds of the lifetime histograms in nanoseconds, the unit that they count in.
inline std::vector<std::uint64_t> LifetimeBounds(const CountingOptions& options) {
  std::vector<std::uint64_t> nanos;
  for (const std::chrono::nanoseconds bound : options.lifetime_bounds) {
    nanos.push_back(static_cast<std::uint64_t>(bound.count()));
  }
  return nanos;
}

}  // namespace procevent
