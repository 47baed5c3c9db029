#include "core/reader/drain_scheduler.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "core/base/result.h"
#include "core/base/system.h"

namespace procevent {

void QueuePeak::RecordUsage(std::uint32_t bytes, std::uint64_t now_ns) {
  ClearSlotsUntil(now_ns / kSlotNanos);
  std::uint32_t& slot = slots_[newest_slot_ % kSlots];
  slot = std::max(slot, bytes);
}

std::uint32_t QueuePeak::PeakBytes(std::uint64_t now_ns) {
  ClearSlotsUntil(now_ns / kSlotNanos);
  return *std::ranges::max_element(slots_);
}

void QueuePeak::ClearSlotsUntil(std::uint64_t slot) {
  const std::uint64_t passed = std::min<std::uint64_t>(slot - newest_slot_, kSlots);
  for (std::uint64_t i = 0; i < passed; ++i) {
    slots_[(slot - i) % kSlots] = 0;
  }
  newest_slot_ = slot;
}

Poller::Poller(std::span<const int> signal_fds) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) {
    throw std::runtime_error(
        Describe({"create an epoll instance", errno, "raise the limit of open files (ulimit -n)"}));
  }
  for (const int fd : signal_fds) {
    Add(fd);
  }
}

bool Poller::Wait(int source_fd, std::uint64_t until_ns) {
  if (source_fd != source_fd_) {
    if (source_fd_ >= 0) {
      // Fails if the source was closed: the kernel has removed it already.
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, source_fd_, nullptr);
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
  if (!idle_ && emptied && datagrams <= kMaxIdleDatagrams) {
    idle_ = true;
    datagrams_in_window_ = 0;
  }
  if (now_ns - window_start_ns_ >= interval_ns_) {
    window_start_ns_ = now_ns;
    datagrams_in_window_ = 0;
  }
  datagrams_in_window_ += datagrams;
  if (datagrams_in_window_ > kMaxIdleDatagrams || !emptied) {
    idle_ = false;
  }
  next_drain_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
}

}  // namespace procevent
