// Whether this process may have the threads that serve: with fewer the server would listen and never answer. For the
// server, before it starts, and for doctor.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace procevent {

inline constexpr unsigned kWorkers = 64;
inline constexpr unsigned kServingThreads = kWorkers + 1;  // and the one that accepts

inline constexpr std::string_view kThreadsRemedy =
    "raise the limit of processes (ulimit -u, TasksMax, pids.max) or of memory (ulimit -v)";

// Starts as many, and lets them go.
Status TryServingThreads();

}  // namespace procevent
