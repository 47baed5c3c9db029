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

class LossReport {
 public:
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  struct Loss {
    std::uint64_t events = 0;
    bool queue_full = false;  // the socket dropped messages; otherwise the kernel had none to queue
    bool operator==(const Loss&) const = default;
  };

  // `lost` and `drops`: in all, up to now. Returns what is to be told now.
  [[nodiscard]] std::optional<Loss> Due(std::uint64_t lost, std::uint64_t drops, std::uint64_t now_ns) {
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
    kListening,     // subscribed and proved; number: milliseconds without a listener before
    kNotListening,  // error: why, and what helps
    kSilence,       // the canary did not come back: a fresh socket is opened
    kFault,         // error: the socket failed; a fresh one is opened
    kSmallBuffer,   // number: bytes granted, wanted: bytes asked for
    kUnseen,        // number: forks that were made in a silence too short to be noticed otherwise
    kLost,         // number: events that were lost since this was told last; wanted: bytes of the queue, if it was full
    kNoNames,      // error: /proc does not show the processes of others
    kNoForkCount,  // error: /proc/stat cannot be read, so forks are not audited
    kReplayed,     // number: datagrams of the capture, which is at its end
    kNotReplayed,  // error: why the replay ended before that
  };
  Kind kind = Kind::kListening;
  Error error{};
  std::uint64_t number = 0;
  std::uint64_t wanted = 0;
};

class Notices {
 public:
  static constexpr std::size_t kCapacity = 64;

  explicit Notices(Wake wake) : wake_(std::move(wake)) {}

  void Post(const Notice& notice);          // the reader only
  [[nodiscard]] bool Take(Notice& notice);  // the taker only
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Readable when something was posted; Heard before taking all there is.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  void Heard() const { wake_.Quiet(); }

 private:
  Wake wake_;
  std::array<Notice, kCapacity> ring_;
  std::atomic<std::uint64_t> posted_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace procevent
