// What helps, where several rooms have to say it.
#pragma once

#include <string_view>

namespace procevent {

inline constexpr std::string_view kThreadsRemedy =
    "raise the limit of processes (ulimit -u, TasksMax, pids.max) or of memory (ulimit -v)";

}  // namespace procevent
