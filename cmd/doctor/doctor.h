// Implements `procevent_exporter doctor`: checks whether the exporter would work here, and names the remedy if not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/doctor/probes.h"
#include "config/schema/effective_config.h"

namespace procevent {

// The result of one check: what was found, and what to do about it.
struct Check {
  enum class State : std::uint8_t {
    kOk,
    kWarning,  // the exporter works with less data or fewer clients
    kFailed,   // the exporter does not work
  };
  std::string_view name;
  State state = State::kOk;
  std::string finding;
  std::string remedy;  // empty if and only if the state is kOk
};

// Interprets the probe results, one check each. Pure.
std::vector<Check> EvaluateChecks(const ProbeResults& probes);

// True if no check has the state kFailed. Warnings are allowed.
bool NoCheckFailed(const std::vector<Check>& checks);

enum class DoctorFormat : std::uint8_t { kLines, kJson };

// Probes the machine and prints the checks. Returns the exit code: 0 if no check failed, else 1.
int Doctor(const Config& config, DoctorFormat format);

// One line for each check.
std::string FormatChecksAsText(const std::vector<Check>& checks);
// One JSON object on one line.
std::string FormatChecksAsJson(const std::vector<Check>& checks);

}  // namespace procevent
