// Lock-free handover of the latest value, and a thread that can be stopped while it sleeps.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "core/base/file_descriptor.h"

namespace procevent {

// Remedy shared by all modules that start threads.
inline constexpr std::string_view kThreadsRemedy =
    "raise the limit of processes (ulimit -u, TasksMax, pids.max) or of memory (ulimit -v)";

// Passes the latest published value from any thread to one consumer, without a lock. A newer value replaces one that
// was not consumed.
template <typename T>
class LatestValue {
 public:
  LatestValue() = default;
  LatestValue(const LatestValue&) = delete;
  LatestValue& operator=(const LatestValue&) = delete;
  ~LatestValue() { Consume(); }

  void Publish(std::unique_ptr<T> value) {
    const std::unique_ptr<T> old(value_.exchange(value.release(), std::memory_order_acq_rel));
  }
  // Returns null if no new value was published, which costs one relaxed load.
  std::unique_ptr<T> Consume() {
    const bool empty = value_.load(std::memory_order_relaxed) == nullptr;
    return std::unique_ptr<T>(empty ? nullptr : value_.exchange(nullptr, std::memory_order_acq_rel));
  }

 private:
  std::atomic<T*> value_{nullptr};
};

// Thread with a stop flag and a descriptor that wakes it from poll. The owner must stop it before it destroys anything
// that the thread uses.
class StoppableThread {
 public:
  // Throws FatalError if the process has no file descriptors left.
  StoppableThread() : stop_(EventFd::MakeOrThrow()) {}
  StoppableThread(const StoppableThread&) = delete;
  StoppableThread& operator=(const StoppableThread&) = delete;
  ~StoppableThread() { Stop(); }

  // Call at most once. `name` has at most 15 bytes. Throws FatalError, with `operation` as the failed
  // operation, if the system cannot start a thread.
  void Start(const char* name, std::string_view operation, std::function<void()> work);
  // Requests a stop and waits until the work has returned. Idempotent.
  void Stop();

  // For the work: whether a stop was requested, and a descriptor that becomes readable then.
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  [[nodiscard]] int stop_fd() const { return stop_.fd(); }

 private:
  EventFd stop_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace procevent
