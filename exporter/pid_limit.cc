#include "exporter/pid_limit.h"

#include <fstream>

namespace procevent {

std::optional<std::uint64_t> ReadPidLimit() {
  std::ifstream file("/proc/sys/kernel/pid_max");
  std::uint64_t limit = 0;
  return file >> limit ? std::optional(limit) : std::nullopt;
}

}  // namespace procevent
