// Passes notices from the reader to the thread that logs them, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
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
    kUnseenForks,   // count: forks made in a gap of the subscription that was too short for a missing canary
    kEventsLost,    // count: events lost since the last such notice; buffer_bytes: size of the receive buffer if it was
                    // full, 0 if the kernel had no memory to queue them
    kSourceFailed,  // error: receiving from a secondary source failed; the reader goes on without it
    // The environment:
    kProcUnreadable,       // error: /proc does not show the processes of other users
    kForkCountUnreadable,  // error: /proc/stat cannot be read, so forks are not audited
    // A replay:
    kReplayFinished,  // the capture was replayed to its end; count: datagrams in it
    kReplayFailed,    // error: why the replay ended before the end of the capture
    // The thread that posts:
    kThreadFailed,  // error: why it ended; its last notice
  };
  Kind kind = Kind::kSubscribed;
  StaticError error{};
  std::uint64_t count = 0;
  std::uint64_t buffer_bytes = 0;
};

// A notice about the exception that is being handled, which ends the thread that posts it. `operation` as in Error.
// Allocates nothing: the exception may be std::bad_alloc.
inline Notice MakeThreadFailedNotice(std::string_view operation) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {.kind = Notice::Kind::kThreadFailed,
            .error = {operation, ENOMEM, "raise the memory limit of the exporter (ulimit -v, systemd: LimitAS)"}};
  } catch (...) {
    return {.kind = Notice::Kind::kThreadFailed,
            .error = {operation, "an unexpected exception ended the thread", "report it as a bug"}};
  }
}

// A bounded ring. The posting thread never waits: a notice that does not fit is dropped and counted. One slot is
// reserved for kThreadFailed, so that it is never dropped. One thread posts, one other pops.
class NoticeQueue {
 public:
  static constexpr std::size_t kCapacity = 64;

  explicit NoticeQueue(EventFd posted_signal) : posted_signal_(std::move(posted_signal)) {}

  void Post(const Notice& notice);            // the reader only
  [[nodiscard]] bool TryPop(Notice& notice);  // the logging thread only
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  // kThreadFailed was posted: the thread has ended, and the program must end, too.
  [[nodiscard]] bool thread_failed() const { return thread_failed_.load(std::memory_order_acquire); }

  // Readable after a post. Call ClearSignal before popping all there is, so that no later post is missed.
  [[nodiscard]] int fd() const { return posted_signal_.fd(); }
  void ClearSignal() const { posted_signal_.Clear(); }

 private:
  EventFd posted_signal_;
  std::array<Notice, kCapacity + 1> ring_;
  std::atomic<std::uint64_t> posted_{0};
  std::atomic<std::uint64_t> popped_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> thread_failed_{false};
};

inline void NoticeQueue::Post(const Notice& notice) {
  const bool failed = notice.kind == Notice::Kind::kThreadFailed;
  const std::uint64_t posted = posted_.load(std::memory_order_relaxed);
  if (posted - popped_.load(std::memory_order_acquire) == kCapacity && !failed) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ring_[posted % ring_.size()] = notice;
  posted_.store(posted + 1, std::memory_order_release);
  if (failed) {
    thread_failed_.store(true, std::memory_order_release);
  }
  posted_signal_.Signal();
}

inline bool NoticeQueue::TryPop(Notice& notice) {
  const std::uint64_t popped = popped_.load(std::memory_order_relaxed);
  if (popped == posted_.load(std::memory_order_acquire)) {
    return false;
  }
  notice = ring_[popped % ring_.size()];
  popped_.store(popped + 1, std::memory_order_release);
  return true;
}

}  // namespace procevent
