// FOLDED: loss_report.h, notices.h
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/base/system.h"

namespace procevent {

// How often losses are told: the first at once, further ones summed up, once a minute. Pure; the reader owns it.

class LossReportLimiter {
 public:
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  struct Loss {
    std::uint64_t events = 0;
    bool queue_full = false;  // the socket dropped messages; otherwise the kernel had none to queue
    bool operator==(const Loss&) const = default;
  };

  // `lost` and `drops`: in all, up to now. Returns what is to be told now.
  [[nodiscard]] std::optional<Loss> TakeDueReport(std::uint64_t lost, std::uint64_t drops, std::uint64_t now_ns) {
    if (lost == lost_ || now_ns < next_ns_) {
      return std::nullopt;
    }
    next_ns_ = now_ns + kInterval;
    return Loss{lost - std::exchange(lost_, lost), drops != std::exchange(drops_, drops)};
  }

 private:
  std::uint64_t lost_ = 0;  // as told
  std::uint64_t drops_ = 0;
  std::uint64_t next_ns_ = 0;
};

// What the reader has to say, for somebody else to print: a bounded ring from one thread to another. The reader never
// waits; what does not fit is counted. One writer, one taker.

struct Notice {
  enum class Kind : std::uint8_t {
    kSubscribed,       // subscribed and proved; number: milliseconds without a listener before
    kSubscribeFailed,  // error: why, and what helps
    kCanaryMissing,    // the canary did not come back: a fresh socket is opened
    kSocketFailed,     // error: the socket failed; a fresh one is opened
    kSmallBuffer,      // number: bytes granted, wanted: bytes asked for
    kUnseenForks,      // number: forks that were made in a silence too short to be noticed otherwise
    kEventsLost,  // number: events that were lost since this was told last; wanted: bytes of the queue, if it was full
    kProcUnreadable,       // error: /proc does not show the processes of others
    kForkCountUnreadable,  // error: /proc/stat cannot be read, so forks are not audited
    kReplayFinished,       // number: datagrams of the capture, which is at its end
    kReplayFailed,         // error: why the replay ended before that
  };
  Kind kind = Kind::kSubscribed;
  Error error{};
  std::uint64_t number = 0;
  std::uint64_t wanted = 0;
};

class NoticeQueue {
 public:
  static constexpr std::size_t kCapacity = 64;

  explicit NoticeQueue(EventFd wake) : wake_(std::move(wake)) {}

  void Post(const Notice& notice);            // the reader only
  [[nodiscard]] bool TryPop(Notice& notice);  // the taker only
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Readable when something was posted; Heard before taking all there is.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  void ClearSignal() const { wake_.Clear(); }

 private:
  EventFd wake_;
  std::array<Notice, kCapacity> ring_;
  std::atomic<std::uint64_t> posted_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace procevent
