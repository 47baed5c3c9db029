// All that the reader asks of /proc.
#pragma once

#include <string>

#include "core/source/proc_pids.h"
#include "core/source/proc_stat.h"

namespace procevent {

struct Proc {
  explicit Proc(const std::string& path = "/proc") : stat((path + "/stat").c_str()), pids(path.c_str()) {}

  ProcStat stat;
  ProcPids pids;
};

}  // namespace procevent
