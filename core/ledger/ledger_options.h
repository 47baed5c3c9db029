// What the ledger can be told. The configuration fills it in; each part of it belongs to the room that uses it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace procevent {

// Names that match are booked under one name.
struct NameGroup {
  std::string match;  // RE2, for the whole name
  std::string name;   // \1 to \9 stand for what the groups of `match` caught
  bool operator==(const NameGroup&) const = default;
};

struct LedgerOptions {
  std::size_t process_limit = 65'536;
  std::size_t comm_limit = 500;
  std::chrono::milliseconds comm_retire_after = std::chrono::hours(1);
  std::vector<NameGroup> name_groups{{.match = "kworker/.*", .name = "kworker"}};

  // Upper bounds, rising.
  std::vector<std::uint64_t> exit_code_bounds{0, 1, 2, 63, 125, 126, 127, 128, 130, 134, 137, 139, 143, 254, 255};
  std::vector<std::chrono::milliseconds> lifetime_bounds{
      std::chrono::milliseconds(1),   std::chrono::milliseconds(2),   std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(20),  std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::seconds(2),        std::chrono::seconds(5),
      std::chrono::seconds(10),       std::chrono::seconds(30),       std::chrono::minutes(1),
      std::chrono::minutes(5),        std::chrono::minutes(15),       std::chrono::hours(1)};
  bool exit_code_by_comm = false;
  bool lifetime_by_comm = false;

  bool operator==(const LedgerOptions&) const = default;
};

// The bounds of the lifetime histograms in nanoseconds, the unit that the ledger counts in.
inline std::vector<std::uint64_t> LifetimeBounds(const LedgerOptions& options) {
  std::vector<std::uint64_t> nanos;
  for (const std::chrono::nanoseconds bound : options.lifetime_bounds) {
    nanos.push_back(static_cast<std::uint64_t>(bound.count()));
  }
  return nanos;
}

}  // namespace procevent
