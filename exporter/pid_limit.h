// How many processes and threads this machine can have at once. For the metrics collector, on the scraping thread.
#pragma once

#include <cstdint>
#include <optional>

namespace procevent {

// /proc/sys/kernel/pid_max; nothing if it cannot be read.
std::optional<std::uint64_t> ReadPidLimit();

}  // namespace procevent
