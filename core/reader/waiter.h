// Where the reader sleeps: until one of its wakes rings, the source has something, or the time has come. The reader
// owns it.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/owned_fd.h"

namespace procevent {

class Waiter {
 public:
  // Throws std::runtime_error if the system has no descriptors left.
  explicit Waiter(std::span<const int> wakes);

  // `source_fd` is -1 while the source must not wake us. The time is rounded up to milliseconds. True if a wake rang.
  [[nodiscard]] bool Wait(int source_fd, std::uint64_t until_ns);

 private:
  void Add(int fd) const;

  OwnedFd epoll_;
  int source_fd_ = -1;  // as it stands in the epoll
};

}  // namespace procevent
