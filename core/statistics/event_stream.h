// Counts the messages of the event stream, detects lost events and drops duplicates. Pure. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/protocol/sequence_tracker.h"

namespace procevent {

// Why a message was not counted as an event.
enum class Rejection : std::uint8_t {
  kForeignSender,  // not from the kernel: nl_pid was not 0
  kOversized,      // longer than any datagram of the connector; not decoded
  kKernelError,
  kOverrun,
  kReservedType,
  kForeignConnector,
  kTruncatedNetlinkHeader,
  kTruncatedConnectorHeader,
  kTruncatedEventHeader,
  kTruncatedEventBody,
  kWrongLength,
  kRepeated,  // both sockets delivered it while a subscription was replaced; counted as an event once
};
inline constexpr std::size_t kRejections = 12;
inline constexpr std::array<std::string_view, kRejections> kRejectionNames{"foreign_sender",
                                                                           "oversized",
                                                                           "kernel_error",
                                                                           "overrun",
                                                                           "reserved_type",
                                                                           "foreign_connector",
                                                                           "truncated_netlink_header",
                                                                           "truncated_connector_header",
                                                                           "truncated_event_header",
                                                                           "truncated_event_body",
                                                                           "wrong_length",
                                                                           "repeated"};

// Returns nothing for events, control messages and acknowledgements, which are no rejections.
std::optional<Rejection> RejectionOf(DecodeOutcome outcome);

// A histogram of the delay between the kernel's timestamp of an event and its receipt, with fixed bounds. The sum
// saturates.
class DelayHistogram {
 public:
  static constexpr std::size_t kBounds = 14;
  // Upper bounds, inclusive (le). One more bucket counts values above the last bound.
  static constexpr std::array<std::uint64_t, kBounds> kUpperNanos{
      10'000,     50'000,     100'000,    500'000,     1'000'000,   2'500'000,     5'000'000,
      10'000'000, 25'000'000, 50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

  void Add(std::uint64_t nanos);

  // Per bucket, not cumulative; the last one is +Inf.
  [[nodiscard]] const std::array<std::uint64_t, kBounds + 1>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum_nanos() const { return sum_nanos_; }

  bool operator==(const DelayHistogram& other) const {
    return counts_ == other.counts_ && sum_nanos_ == other.sum_nanos_;
  }

 private:
  std::array<std::uint64_t, kBounds + 1> counts_{};
  std::uint64_t sum_nanos_ = 0;
  std::size_t last_bucket_ = 0;  // of the previous value
};

// Counters of the event stream, which need no attribution.
struct StreamStatistics {
  explicit StreamStatistics(unsigned cpus) : lost(cpus) {}

  std::array<std::uint64_t, kEventKinds> events{};
  std::vector<std::uint64_t> lost;  // by possible CPU; all 0 with a narrowed event mask, which hides losses
  std::array<std::uint64_t, kRejections> rejected{};
  DelayHistogram delay;  // of all events except ACKs

  [[nodiscard]] std::uint64_t events_of(EventKind kind) const { return events[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t total_lost() const;
  bool operator==(const StreamStatistics&) const = default;
};

class EventStream {
 public:
  EventStream(unsigned cpus, EventCoverage coverage);

  struct Arrival {
    bool duplicate = false;  // counted as a rejection; the event was counted before
    bool lost = false;       // events before this one were lost
  };
  // Counts an event that was received at `now_ns`.
  Arrival CountEvent(const Event& event, std::uint64_t now_ns);
  void CountRejection(Rejection reason) { ++statistics_.rejected[static_cast<std::size_t>(reason)]; }

  [[nodiscard]] const StreamStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::uint64_t received() const;  // events without ACKs
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] EventCoverage coverage() const { return coverage_; }
  // Whether lost() is complete. A narrowed event mask hides losses.
  [[nodiscard]] bool loss_exact() const { return coverage_ == EventCoverage::kAll; }
  // See SequenceTracker.
  [[nodiscard]] std::uint64_t losses_visible_until_ns() const { return sequence_.losses_visible_until_ns(); }

 private:
  EventCoverage coverage_;
  SequenceTracker sequence_;
  StreamStatistics statistics_;
  std::uint64_t lost_ = 0;  // the sum of statistics_.lost
};

}  // namespace procevent
