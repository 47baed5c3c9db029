// Encodes and decodes the packets of a capture: every input of the ledger, in order.
//
// Each packet begins with the cooked header of LINKTYPE_NETLINK. Connector datagrams are stored as the kernel sent
// them, in the netlink family of the connector. All other inputs are records of this program. They use a netlink family
// that the kernel never sends, and each begins with a magic number. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "core/protocol/event_mask.h"
#include "core/protocol/proc_snapshot.h"

namespace procevent {

inline constexpr int kCaptureLinkType = 253;           // LINKTYPE_NETLINK
inline constexpr std::uint16_t kConnectorFamily = 11;  // NETLINK_CONNECTOR
inline constexpr std::uint16_t kRecordFamily = 2;      // NETLINK_USERSOCK: reserved for user-space programs
inline constexpr std::size_t kCookedHeaderBytes = 16;
inline constexpr std::size_t kMaxRecordBytes = 128;

// First record of a capture: clock, CPUs and coverage of the recording.
struct CaptureMetadata {
  std::uint64_t clock_offset_ns = 0;             // packet time - offset = CLOCK_MONOTONIC of the recording host
  std::uint32_t cpus = 0;                        // possible CPUs of the recording host
  EventCoverage coverage = EventCoverage::kAll;  // of the recorded subscription
  bool operator==(const CaptureMetadata&) const = default;
};

// Result of reading one process from /proc, and the reason for the read.
struct CapturedProcSnapshot {
  enum class Kind : std::uint8_t {
    kBootstrap = 1,   // start-up scan of all processes
    kReconciliation,  // a later scan found an untracked process
    kFull,            // reread of a stale process
    kNameOnly,        // counts of the process wait for its name: only the name is used
    kGone,            // the process does not exist
    kHidden,          // the process cannot be read
  };
  Kind kind = Kind::kBootstrap;
  bool requested = false;  // the ledger requested this read
  ProcSnapshot snapshot;
  bool operator==(const CapturedProcSnapshot&) const = default;
};

// All events generated before `applied_until_ns` precede this record.
struct CapturedWatermark {
  std::uint64_t applied_until_ns = 0;
  bool operator==(const CapturedWatermark&) const = default;
};

// Events were lost without a sequence gap, or before the gap is visible: known process state is stale.
struct CapturedInvalidation {
  bool operator==(const CapturedInvalidation&) const = default;
};

// The reader rejected a datagram.
struct CapturedRejection {
  enum class Reason : std::uint8_t { kForeignSender = 1, kOversized };
  Reason reason = Reason::kForeignSender;
  bool operator==(const CapturedRejection&) const = default;
};

// The reader asked the ledger for a read request, and the ledger had none.
struct CapturedNoRequest {
  bool operator==(const CapturedNoRequest&) const = default;
};

using CaptureRecord = std::variant<CaptureMetadata, CapturedProcSnapshot, CapturedWatermark, CapturedInvalidation,
                                   CapturedRejection, CapturedNoRequest>;

// Encodes a record as the payload of a packet. The result is a view into `buffer`.
using RecordBuffer = std::array<std::byte, kMaxRecordBytes>;
std::span<const std::byte> EncodeRecord(const CaptureRecord& record, RecordBuffer& buffer);

// Whether a payload has the magic number of a record. A record of a newer version may not be decodable.
bool IsRecord(std::span<const std::byte> payload);
// Returns nothing if the payload is not a valid record of this version.
std::optional<CaptureRecord> DecodeRecord(std::span<const std::byte> payload);

// The cooked header that the kernel writes for a message to user space.
std::array<std::byte, kCookedHeaderBytes> MakeCookedHeader(std::uint16_t family);

// Decoded fields of a cooked header.
struct CookedHeader {
  std::uint16_t family = 0;
  bool to_kernel = false;  // sent by a program to the kernel
};
// Returns nothing if the packet does not begin with a cooked netlink header.
std::optional<CookedHeader> ReadCookedHeader(std::span<const std::byte> packet);

}  // namespace procevent
