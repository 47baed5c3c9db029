#include "core/base/file_descriptor.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "core/base/fatal_error.h"
#include "core/base/result.h"
#include "core/base/system.h"

namespace procevent {

Result<EventFd> EventFd::Make() {
  OwnedFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) {
    return Error{"create an eventfd", errno, "raise the limit of open files (ulimit -n)"};
  }
  return EventFd(std::move(fd));
}

EventFd EventFd::MakeOrThrow() { return ValueOrThrow(Make()); }

void EventFd::Signal() const {
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is at its maximum: the waiter wakes anyway.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void EventFd::Clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_.get(), &count, sizeof count);
}

bool EventFd::WaitFor(std::chrono::nanoseconds timeout) const {
  const auto wait = std::max<std::int64_t>(timeout.count(), 0);
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(wait);
  while (true) {
    const std::uint64_t now = MonotonicNanos();
    const std::uint64_t left = now < deadline ? deadline - now : 0;
    const timespec limit{static_cast<time_t>(left / kNanosPerSecond), static_cast<long>(left % kNanosPerSecond)};
    pollfd readable{fd_.get(), POLLIN, 0};
    const int ready = ::ppoll(&readable, 1, &limit, nullptr);
    if (ready > 0) {
      Clear();
      return true;
    }
    if (ready == 0 || errno != EINTR) {
      return false;
    }
  }
}

Poller::Poller(std::span<const int> signal_fds) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) {
    throw FatalError({"create an epoll instance", errno, "raise the limit of open files (ulimit -n)"});
  }
  for (const int fd : signal_fds) {
    Add(fd);
  }
}

bool Poller::Wait(std::span<const int> source_fds, std::uint64_t until_ns) {
  if (!std::ranges::equal(source_fds, source_fds_)) {
    ReplaceSources(source_fds);
  }
  std::array<epoll_event, 8> ready{};
  const int count =
      ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), MillisUntil(until_ns, MonotonicNanos()));
  return std::any_of(ready.begin(), ready.begin() + std::max(count, 0), [source_fds](const epoll_event& event) {
    return std::ranges::find(source_fds, event.data.fd) == source_fds.end();
  });
}

void Poller::ReplaceSources(std::span<const int> source_fds) {
  for (const int fd : source_fds_) {
    // Fails if the source was closed: the kernel has removed it already.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }
  source_fds_.assign(source_fds.begin(), source_fds.end());
  for (const int fd : source_fds_) {
    Add(fd);  // fails for -1
  }
}

void Poller::Add(int fd) const {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted);
}

}  // namespace procevent
