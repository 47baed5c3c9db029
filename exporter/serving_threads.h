// Whether this process may have the threads that serve: with fewer the server would listen and never answer. For the
// server, before it starts, and for doctor.
#pragma once

#include "core/base/result.h"

namespace procevent {

inline constexpr unsigned kWorkers = 64;
inline constexpr unsigned kServingThreads = kWorkers + 1;  // and the one that accepts

// Starts as many, and lets them go.
Status TryServingThreads();

}  // namespace procevent
