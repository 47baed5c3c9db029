// FOLDED: owned_fd.h, wake.h
#pragma once

#include <unistd.h>

#include <chrono>
#include <utility>

#include "core/base/result.h"

namespace procevent {

// Owns a file descriptor and closes it: on destruction, on Reset, and when another is moved in. Any room may use it.

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      Reset(std::exchange(other.fd_, -1));
    }
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { Reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

  // For those who take it over.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

  void Reset(int fd = -1) {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) {
      ::close(old);
    }
  }

 private:
  int fd_ = -1;
};

// An eventfd that one thread rings and another waits for. Rings that nobody waited for are one ring.
// Made at start (Make), used by the reader and its scrapers.

class EventFd {
 public:
  static Result<EventFd> Make();
  // At start-up: throws std::runtime_error.
  static EventFd MakeOrThrow();

  void Signal() const;
  // Forgets a ring, if there was one.
  void Clear() const;
  // Waits for a ring and forgets it; false if the time passed without one.
  [[nodiscard]] bool WaitFor(std::chrono::nanoseconds timeout) const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit EventFd(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
};

}  // namespace procevent
