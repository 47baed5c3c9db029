// FOLDED: mailbox.h, stoppable_thread.h
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "core/base/file_descriptor.h"

namespace procevent {

// Hands the newest of some things from any thread to one other, without a lock: what was not taken yet is thrown away.
// For what a running stage is told from outside.

template <typename T>
class LatestValue {
 public:
  LatestValue() = default;
  LatestValue(const LatestValue&) = delete;
  LatestValue& operator=(const LatestValue&) = delete;
  ~LatestValue() { Consume(); }

  void Publish(std::unique_ptr<T> thing) {
    const std::unique_ptr<T> old(thing_.exchange(thing.release(), std::memory_order_acq_rel));
  }
  // Nothing, as nearly always, costs a load.
  std::unique_ptr<T> Consume() {
    const bool empty = thing_.load(std::memory_order_relaxed) == nullptr;
    return std::unique_ptr<T>(empty ? nullptr : thing_.exchange(nullptr, std::memory_order_acq_rel));
  }

 private:
  std::atomic<T*> thing_{nullptr};
};

// A thread that is told to stop, also while it sleeps: there is a descriptor that it can be woken by. Whoever has one
// stops it before what the thread works with is gone. For the threads of core.

class StoppableThread {
 public:
  // Throws std::runtime_error if the system has no descriptors left.
  StoppableThread() : stop_(EventFd::MakeOrThrow()) {}
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
  EventFd stop_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace procevent
