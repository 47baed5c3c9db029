// Holds all counts of the ledger at one moment, as a scrape exposes them.
//
// The ledger owns the counters of the event stream and the peaks, which are defined here, too. Copying into a snapshot
// that was constructed with the same options, or into a copy of one, allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/system.h"
#include "core/ledger/name_resolver.h"
#include "core/ledger/process_tracker.h"
#include "core/ledger/statistics.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"

namespace procevent {

// Why a message was not counted as an event: the values of the label of procevent_messages_rejected_total.
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

inline constexpr std::array kPeakActivities{Activity::kFork, Activity::kExec, Activity::kExit};
inline constexpr std::array<std::string_view, 2> kPeakWindowNames{"100ms", "1s"};
// Per second, by activity and window.
using PeakRates = std::array<std::array<double, kPeakWindowNames.size()>, kPeakActivities.size()>;

// Finds the highest rates of the last minute, which an average between two scrapes hides. Activities are counted by the
// timestamps of their events in slots of 10 ms. A window is any run of whole slots.
class Peaks {
 public:
  Peaks() : slots_(kSlots) {}

  void Add(Activity activity, std::uint64_t when_ns);
  // Discards slots that are too old at `now_ns`.
  void Advance(std::uint64_t now_ns);
  [[nodiscard]] PeakRates Rates() const;

 private:
  static constexpr std::uint64_t kSlotNanos = 10 * kNanosPerMilli;
  static constexpr std::array<std::size_t, kPeakWindowNames.size()> kWindowSlots{10, 100};
  static constexpr std::size_t kWindowEnds = 6000;          // slots of the last minute, in which a window may end
  static constexpr std::size_t kSlots = kWindowEnds + 100;  // plus the slots before, where these windows begin

  using Slot = std::array<std::uint32_t, kPeakActivities.size()>;
  [[nodiscard]] const Slot& At(std::uint64_t slot) const { return slots_[slot % kSlots]; }

  std::vector<Slot> slots_;  // a ring
  std::uint64_t newest_ = kSlots;
  std::size_t newest_index_ = 0;  // in the ring
  std::uint64_t newest_start_ns_ = 0;
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

// All counts of the ledger.
struct LedgerSnapshot : StreamStatistics {
  explicit LedgerSnapshot(unsigned cpus, const LedgerOptions& options = {})
      : StreamStatistics(cpus),
        comms(options),
        exit_reasons(kExitReasonsPerGroup * comms.rows.size()),
        exits(options) {}

  // False if the event mask lacks fork, exec or exit events: then nothing below is attributed.
  bool processes_tracked = true;
  CommStatistics comms;
  ExitReasonList exit_reasons;
  ExitStatistics exits;
  Counts pending;  // of processes whose name is not known yet
  std::array<std::uint64_t, kAttributions> attributions{};
  PeakRates peaks{};
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::array<std::uint64_t, kProcessFoundReasons> found{};
  std::array<std::uint64_t, kProcessDropReasons> dropped{};

  // The counts of all processes: of every group, pending and retired.
  [[nodiscard]] Counts total() const;
};

}  // namespace procevent
