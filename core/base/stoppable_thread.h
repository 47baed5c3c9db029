// A thread that is told to stop, also while it sleeps: there is a descriptor that it can be woken by. Whoever has one
// stops it before what the thread works with is gone. For the threads of core.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <thread>

#include "core/base/wake.h"

namespace procevent {

class StoppableThread {
 public:
  // Throws std::runtime_error if the system has no descriptors left.
  StoppableThread() : stop_(Wake::MakeOrThrow()) {}
  StoppableThread(const StoppableThread&) = delete;
  StoppableThread& operator=(const StoppableThread&) = delete;
  ~StoppableThread() { Stop(); }

  // Once; `name` has at most 15 bytes. Throws std::runtime_error if the system has no threads left: then `operation`
  // could not be done.
  void Start(const char* name, std::string_view operation, std::function<void()> work);
  // Returns when the work is done.
  void Stop();

  // For the work: whether it is to end, and what can be read from then.
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  [[nodiscard]] int stop_fd() const { return stop_.fd(); }

 private:
  Wake stop_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace procevent
