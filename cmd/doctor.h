// `procevent_exporter doctor`: would the exporter work here, and if not, what helps. Used by Run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cmd/checks.h"
#include "config/config.h"

namespace procevent {

enum class DoctorForm : std::uint8_t { kLines, kJson };

// Prints what it finds. The exit code: 0 if all that is needed holds, else 1.
int Doctor(const Config& config, DoctorForm form);

// A line for each check; or one JSON object, on one line.
std::string AsLines(const std::vector<Check>& checks);
std::string AsJson(const std::vector<Check>& checks);

}  // namespace procevent
