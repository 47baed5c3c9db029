// FOLDED: rejection.h, delay_histogram.h, peaks.h, numbers.h
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

// Why a message was not booked as an event. Each reason has its own counter, and its own label.

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
  kRepeated,  // both sockets of a changeover delivered it; booked once
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

// The rejection that an outcome is; nothing for events, control messages and acknowledgements.
std::optional<Rejection> RejectionOf(DecodeOutcome outcome);

// How long events waited between the kernel and the ledger. Fixed bounds; Add costs a few instructions.

class DelayHistogram {
 public:
  static constexpr std::size_t kBounds = 14;
  // Upper bounds, inclusive (le). One more bucket holds what is above the last.
  static constexpr std::array<std::uint64_t, kBounds> kUpperNanos{
      10'000,     50'000,     100'000,    500'000,     1'000'000,   2'500'000,     5'000'000,
      10'000'000, 25'000'000, 50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

  void Add(std::uint64_t nanos);

  // Of each bucket alone, not cumulative; the last is +Inf's.
  [[nodiscard]] const std::array<std::uint64_t, kBounds + 1>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t sum_nanos() const { return sum_nanos_; }

  bool operator==(const DelayHistogram& other) const {
    return counts_ == other.counts_ && sum_nanos_ == other.sum_nanos_;
  }

 private:
  std::array<std::uint64_t, kBounds + 1> counts_{};
  std::uint64_t sum_nanos_ = 0;
  std::size_t last_ = 0;  // the bucket of the last one
};

// The highest rates of the last minute: what an average between two scrapes cannot show. Events are counted by their
// own time in slots of 10 ms; a window is any run of whole slots. Owned by the ledger.

inline constexpr std::array kPeakKinds{EventKind::kFork, EventKind::kExec, EventKind::kExit};
inline constexpr std::array<std::string_view, 2> kPeakWindowNames{"100ms", "1s"};
// By kind and window, events per second.
using PeakRates = std::array<std::array<double, kPeakWindowNames.size()>, kPeakKinds.size()>;

class Peaks {
 public:
  Peaks() : slots_(kSlots) {}

  void AddEvent(EventKind kind, std::uint64_t when_ns);
  // Forgets what is too old by now.
  void Advance(std::uint64_t now_ns);
  [[nodiscard]] PeakRates Rates() const;

 private:
  static constexpr std::uint64_t kSlotNanos = 10 * kNanosPerMilli;
  static constexpr std::array<std::size_t, kPeakWindowNames.size()> kWindowSlots{10, 100};
  static constexpr std::size_t kRemembered = 6000;          // windows that end in the last minute
  static constexpr std::size_t kSlots = kRemembered + 100;  // and where the first of them begin

  using Slot = std::array<std::uint32_t, kPeakKinds.size()>;
  [[nodiscard]] const Slot& At(std::uint64_t slot) const { return slots_[slot % kSlots]; }

  std::vector<Slot> slots_;  // a ring
  std::uint64_t newest_ = kSlots;
  std::size_t newest_place_ = 0;  // in the ring
  std::uint64_t newest_begins_ns_ = 0;
};

// The ledger's numbers at one moment: what a snapshot copies. Copying into one that was made alike does not allocate.

// Of each event, whatever it says.
struct StreamStatistics {
  explicit StreamStatistics(unsigned cpus) : lost(cpus) {}

  std::array<std::uint64_t, kEventKinds> events{};
  std::vector<std::uint64_t> lost;  // by possible CPU; all 0 where a narrowed mask hides losses
  std::array<std::uint64_t, kRejections> rejected{};
  DelayHistogram delay;  // of every event but ACKs

  [[nodiscard]] std::uint64_t events_of(EventKind kind) const { return events[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t total_lost() const;
  bool operator==(const StreamStatistics&) const = default;
};

struct LedgerSnapshot : StreamStatistics {
  explicit LedgerSnapshot(unsigned cpus, const LedgerOptions& options = {})
      : StreamStatistics(cpus), comms(options), exits(options) {}

  bool processes_tracked =
      true;  // false where the mask leaves out a part of processes' lives: nothing below is attributed
  CommStatistics comms;
  ExitStatistics exits;
  Counts pending;
  std::array<std::uint64_t, kAttributions> attributions{};
  PeakRates peaks{};
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::array<std::uint64_t, kProcessFoundReasons> found{};
  std::array<std::uint64_t, kProcessDropReasons> dropped{};
};

}  // namespace procevent
