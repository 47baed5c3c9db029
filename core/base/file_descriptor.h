// Owning file descriptor, and an eventfd that wakes another thread.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace procevent {

// Owns a file descriptor. Closes it on destruction, on Reset and when another one is moved in.
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

  // Gives up ownership without closing.
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

// Wakes a waiting thread. Signals that arrive before the wait count as one. Any thread may signal.
class EventFd {
 public:
  static Result<EventFd> Make();
  // For start-up code: throws FatalError instead of returning an Error.
  static EventFd MakeOrThrow();

  void Signal() const;
  // Consumes a pending signal, if any.
  void Clear() const;
  // Waits for a signal and consumes it. Returns false on a timeout.
  [[nodiscard]] bool WaitFor(std::chrono::nanoseconds timeout) const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit EventFd(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
};

// Sleeps until another thread signals, a source is readable, or a time has come. One thread uses it. Allocates only
// when there are more sources than ever before.
class Poller {
 public:
  // Throws FatalError if the system has no descriptors left.
  explicit Poller(std::span<const int> signal_fds);

  // Descriptors of sources that must not end the wait are left out, or -1. The time is rounded up to milliseconds. True
  // if one of the signals ended the wait.
  [[nodiscard]] bool Wait(std::span<const int> source_fds, std::uint64_t until_ns);

 private:
  void Add(int fd) const;
  void ReplaceSources(std::span<const int> source_fds);

  OwnedFd epoll_;
  std::vector<int> source_fds_;  // those registered in the epoll
};

}  // namespace procevent
