// Hands the newest of some things from any thread to one other, without a lock: what was not taken yet is thrown away.
// For what a running stage is told from outside.
#pragma once

#include <atomic>
#include <memory>

namespace procevent {

template <typename T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { Take(); }

  void Put(std::unique_ptr<T> thing) {
    const std::unique_ptr<T> old(thing_.exchange(thing.release(), std::memory_order_acq_rel));
  }
  // Nothing, as nearly always, costs a load.
  std::unique_ptr<T> Take() {
    const bool empty = thing_.load(std::memory_order_relaxed) == nullptr;
    return std::unique_ptr<T>(empty ? nullptr : thing_.exchange(nullptr, std::memory_order_acq_rel));
  }

 private:
  std::atomic<T*> thing_{nullptr};
};

}  // namespace procevent
