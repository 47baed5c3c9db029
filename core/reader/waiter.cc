#include "core/reader/waiter.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <stdexcept>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace procevent {

Waiter::Waiter(std::span<const int> wakes) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) {
    throw std::runtime_error(Describe({"make an epoll", errno, "raise the limit of open files (ulimit -n)"}));
  }
  for (const int fd : wakes) {
    Add(fd);
  }
}

bool Waiter::Wait(int source_fd, std::uint64_t until_ns) {
  if (source_fd != source_fd_) {
    if (source_fd_ >= 0) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, source_fd_, nullptr);  // fails where it was closed: then it is gone
    }
    if (source_fd >= 0) {
      Add(source_fd);
    }
    source_fd_ = source_fd;
  }
  std::array<epoll_event, 4> ready{};
  const int count =
      ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), MillisUntil(until_ns, MonotonicNanos()));
  return std::any_of(ready.begin(), ready.begin() + std::max(count, 0),
                     [source_fd](const epoll_event& event) { return event.data.fd != source_fd; });
}

void Waiter::Add(int fd) const {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted);
}

}  // namespace procevent
