#include "exporter/serving_threads.h"

#include <latch>
#include <system_error>
#include <thread>
#include <vector>

namespace procevent {

Status TryServingThreads() {
  Status tried = Success{};
  std::vector<std::jthread> threads;
  threads.reserve(kServingThreads);
  std::latch all_there(1);
  try {
    while (threads.size() < kServingThreads) {
      threads.emplace_back([&all_there] { all_there.wait(); });
    }
  } catch (const std::system_error& fault) {
    tried = Error{"start the 65 threads that serve", fault.code().value(),
                  "raise the limit of processes (ulimit -u, TasksMax, pids.max) or of memory (ulimit -v)"};
  }
  all_there.count_down();
  return tried;
}

}  // namespace procevent
