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
    return Error{"make an eventfd", errno, "raise the limit of open files (ulimit -n)"};
  }
  return EventFd(std::move(fd));
}

EventFd EventFd::MakeOrThrow() {
  auto wake = Make();
  if (!wake) {
    throw std::runtime_error(Describe(wake.error()));
  }
  return std::move(wake).value();
}

void EventFd::Signal() const {
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is full of rings already: the waiter will wake.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void EventFd::Clear() const {
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto got = ::read(fd_.get(), &rings, sizeof rings);
}

bool EventFd::WaitFor(std::chrono::nanoseconds timeout) const {
  const auto wait = std::max<std::int64_t>(timeout.count(), 0);
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(wait);
  while (true) {
    const std::uint64_t now = MonotonicNanos();
    const std::uint64_t left = now < deadline ? deadline - now : 0;
    const timespec limit{static_cast<time_t>(left / kNanosPerSecond), static_cast<long>(left % kNanosPerSecond)};
    pollfd wanted{fd_.get(), POLLIN, 0};
    const int ready = ::ppoll(&wanted, 1, &limit, nullptr);
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
