#include "core/reader/drain_scheduler.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <stdexcept>

#include "core/base/result.h"
#include "core/base/system.h"

namespace procevent {

void QueuePeak::RecordUsage(std::uint32_t bytes, std::uint64_t now_ns) {
  Forget(now_ns / kSlotNanos);
  std::uint32_t& slot = slots_[newest_ % kSlots];
  slot = std::max(slot, bytes);
}

std::uint32_t QueuePeak::PeakBytes(std::uint64_t now_ns) {
  Forget(now_ns / kSlotNanos);
  return *std::ranges::max_element(slots_);
}

void QueuePeak::Forget(std::uint64_t slot) {
  const std::uint64_t passed = std::min<std::uint64_t>(slot - newest_, kSlots);
  for (std::uint64_t i = 0; i < passed; ++i) {
    slots_[(slot - i) % kSlots] = 0;
  }
  newest_ = slot;
}

Poller::Poller(std::span<const int> wakes) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) {
    throw std::runtime_error(Describe({"make an epoll", errno, "raise the limit of open files (ulimit -n)"}));
  }
  for (const int fd : wakes) {
    Add(fd);
  }
}

bool Poller::Wait(int source_fd, std::uint64_t until_ns) {
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

void Poller::Add(int fd) const {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted);
}

void DrainScheduler::RecordDrain(std::size_t datagrams, bool emptied, std::uint64_t now_ns) {
  if (!resting_ && emptied && datagrams <= kFew) {
    resting_ = true;  // the flow ebbed
    in_window_ = 0;
  }
  if (now_ns - window_start_ns_ >= interval_ns_) {
    window_start_ns_ = now_ns;
    in_window_ = 0;
  }
  in_window_ += datagrams;
  if (in_window_ > kFew || !emptied) {
    resting_ = false;
  }
  due_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
}

}  // namespace procevent
