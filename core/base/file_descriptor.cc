#include "core/base/file_descriptor.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "core/base/system.h"

namespace procevent {

Result<EventFd> EventFd::Make() {
  OwnedFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) {
    return Error{"create an eventfd", errno, "raise the limit of open files (ulimit -n)"};
  }
  return EventFd(std::move(fd));
}

EventFd EventFd::MakeOrThrow() {
  auto event = Make();
  if (!event) {
    throw std::runtime_error(Describe(event.error()));
  }
  return std::move(event).value();
}

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

}  // namespace procevent
