// What a line of the log looks like. Pure; used by the log.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "config/log_options.h"

namespace procevent {

// No line is longer: a pipe that can be written to at all takes it in one piece.
inline constexpr std::size_t kMostLineBytes = 2048;

// `ts=2026-11-21T12:00:00.000Z level=info msg="..."` or the same as a JSON object, with the line end. Whatever the
// message holds, it stays one line of valid UTF-8 and can be read back; what is too long ends in "...".
std::string LogLine(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                    std::string_view message);

}  // namespace procevent
