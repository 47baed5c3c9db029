// An eventfd that one thread rings and another waits for. Rings that nobody waited for are one ring.
// Made at start (Make), used by the reader and its scrapers.
#pragma once

#include <chrono>

#include "core/base/owned_fd.h"
#include "core/base/result.h"

namespace procevent {

class Wake {
 public:
  static Result<Wake> Make();
  // At start-up: throws std::runtime_error.
  static Wake MakeOrThrow();

  void Ring() const;
  // Forgets a ring, if there was one.
  void Quiet() const;
  // Waits for a ring and forgets it; false if the time passed without one.
  [[nodiscard]] bool WaitFor(std::chrono::nanoseconds timeout) const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit Wake(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
};

}  // namespace procevent
