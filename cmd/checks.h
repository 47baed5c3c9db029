// What doctor's probes mean: a check each, with what was found and what helps. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/probes.h"

namespace procevent {

struct Check {
  enum class State : std::uint8_t {
    kOk,
    kWarning,  // the exporter works, with less
    kFailed,   // it does not
  };
  std::string_view name;
  State state = State::kOk;
  std::string finding;
  std::string remedy;  // empty if all is well
};

std::vector<Check> ChecksOf(const Probes& probes);

// Nothing failed.
bool AllHolds(const std::vector<Check>& checks);

}  // namespace procevent
