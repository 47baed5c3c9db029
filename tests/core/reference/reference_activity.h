// The activities that the reference tracker emits and the reference statistics count. The stages are those of
// core/tracker/activity.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "core/statistics/group_name.h"
#include "core/tracker/counts.h"

namespace procevent::reference {

using CountMap = std::map<CountKind, std::uint64_t>;

// How a process exited.
struct ExitRecord {
  std::uint64_t when_ns = 0;
  std::uint32_t wait_status = 0;
  bool without_exec = false;
  bool lifetime_known = false;
  std::uint64_t lifetime_ns = 0;

  [[nodiscard]] std::uint32_t signal() const { return wait_status % 128; }
  [[nodiscard]] std::uint32_t status() const { return signal() != 0 ? 0 : wait_status / 256 % 256; }
  [[nodiscard]] std::uint64_t code() const { return signal() != 0 ? 128 + signal() : status(); }
  [[nodiscard]] CountKind outcome() const {
    return signal() != 0 ? CountKind::kKilled : status() != 0 ? CountKind::kFailed : CountKind::kSucceeded;
  }
};

// The name of a process, or the group that stands for a missing name.
using NameOrReserved = std::variant<ReservedGroup, std::string>;

struct Activity {
  bool at_event = true;    // emitted when the event is applied; otherwise later, after it waited for a name
  bool attributed = true;  // the name is final; otherwise it follows in a later activity
  CountKind what = CountKind::kForks;
  std::uint64_t times = 1;
  std::uint64_t when_ns = 0;  // of the latest of these events
  NameOrReserved name = ReservedGroup::kUnattributed;
  std::optional<ExitRecord> exit = std::nullopt;
};

using Emit = std::function<void(const Activity&)>;

}  // namespace procevent::reference
