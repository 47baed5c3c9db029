// Passes notices from the reader to the thread that logs them, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"

namespace procevent {

// Something that the operator should know. Its log line is made by cmd/logging.
struct Notice {
  enum class Kind : std::uint8_t {
    // The subscription:
    kSubscribed,       // subscribed and proved; count: milliseconds without a subscription before
    kSubscribeFailed,  // error: why there is no subscription; posted once per cause, while the reader retries
    kCanaryMissing,    // the kernel did not deliver the canary, so the subscription is lost; error: why; the reader
                       // resubscribes
    kSocketFailed,     // error: receiving failed; the reader resubscribes
    kSmallBuffer,  // the receive buffer is smaller than requested; count: bytes granted, buffer_bytes: bytes requested
    // Losses:
    kUnseenForks,  // count: forks made in a gap of the subscription that was too short for a missing canary
    kEventsLost,   // count: events lost since the last such notice; buffer_bytes: size of the receive buffer if it was
                   // full,
                   // 0 if the kernel had no memory to queue them
    // The environment:
    kProcUnreadable,       // error: /proc does not show the processes of other users
    kForkCountUnreadable,  // error: /proc/stat cannot be read, so forks are not audited
    // A replay:
    kReplayFinished,  // the capture was replayed to its end; count: datagrams in it
    kReplayFailed,    // error: why the replay ended before the end of the capture
  };
  Kind kind = Kind::kSubscribed;
  Error error{};
  std::uint64_t count = 0;
  std::uint64_t buffer_bytes = 0;
};

// A bounded ring. The posting thread never waits: a notice that does not fit is dropped and counted. One thread posts,
// one other pops.
class NoticeQueue {
 public:
  static constexpr std::size_t kCapacity = 64;

  explicit NoticeQueue(EventFd posted_signal) : posted_signal_(std::move(posted_signal)) {}

  void Post(const Notice& notice);            // the reader only
  [[nodiscard]] bool TryPop(Notice& notice);  // the logging thread only
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Readable after a post. Call ClearSignal before popping all there is, so that no later post is missed.
  [[nodiscard]] int fd() const { return posted_signal_.fd(); }
  void ClearSignal() const { posted_signal_.Clear(); }

 private:
  EventFd posted_signal_;
  std::array<Notice, kCapacity> ring_;
  std::atomic<std::uint64_t> posted_{0};
  std::atomic<std::uint64_t> popped_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

inline void NoticeQueue::Post(const Notice& notice) {
  const std::uint64_t posted = posted_.load(std::memory_order_relaxed);
  if (posted - popped_.load(std::memory_order_acquire) == kCapacity) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ring_[posted % kCapacity] = notice;
  posted_.store(posted + 1, std::memory_order_release);
  posted_signal_.Signal();
}

inline bool NoticeQueue::TryPop(Notice& notice) {
  const std::uint64_t popped = popped_.load(std::memory_order_relaxed);
  if (popped == posted_.load(std::memory_order_acquire)) {
    return false;
  }
  notice = ring_[popped % kCapacity];
  popped_.store(popped + 1, std::memory_order_release);
  return true;
}

}  // namespace procevent
