// The rows that stand for no command: each longer than the 15 bytes of a command's name, so that no process can call
// itself so. For the comm table, and for whoever reads its rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/protocol/comm_name.h"

namespace procevent {

enum class ReservedComm : std::uint8_t {
  kUntracked,     // events of processes that are not in the process table
  kUnattributed,  // programs that nothing named before they ended
  kNameless,      // processes that have made their name empty
  kOverflow,      // names that came when the comm table was full
  kRetired,       // what had been counted under names that were idle for long
};
inline constexpr std::size_t kReservedComms = 5;
inline constexpr std::array<std::string_view, kReservedComms> kReservedCommNames{
    "[untracked processes]", "[unattributed programs]", "[processes without a name]", "[other comms beyond limit]",
    "[retired comms here]"};
static_assert(std::ranges::all_of(kReservedCommNames,
                                  [](std::string_view name) { return name.size() > CommName::kMostBytes; }));

constexpr bool IsReserved(std::string_view label) {
  return std::ranges::find(kReservedCommNames, label) != kReservedCommNames.end();
}

}  // namespace procevent
