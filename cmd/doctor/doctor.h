// FOLDED: checks.h, doctor.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/doctor/probes.h"
#include "config/schema/effective_config.h"

namespace procevent {

// What doctor's probes mean: a check each, with what was found and what helps. Pure.

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

std::vector<Check> EvaluateChecks(const ProbeResults& probes);

// Nothing failed.
bool NoCheckFailed(const std::vector<Check>& checks);

// `procevent_exporter doctor`: would the exporter work here, and if not, what helps. Used by Run.

enum class DoctorFormat : std::uint8_t { kLines, kJson };

// Prints what it finds. The exit code: 0 if all that is needed holds, else 1.
int Doctor(const Config& config, DoctorFormat form);

// A line for each check; or one JSON object, on one line.
std::string FormatChecksAsText(const std::vector<Check>& checks);
std::string FormatChecksAsJson(const std::vector<Check>& checks);

}  // namespace procevent
