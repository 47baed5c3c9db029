// What stands in a capture, packet by packet: all that the ledger was told. Each packet begins with the cooked header
// of LINKTYPE_NETLINK. Datagrams of the connector are as the kernel sent them, in its netlink family; what else the
// ledger was told are records of our own, in a family in which no kernel speaks, each with a magic number. Pure; the
// capture file and its users share it.
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
inline constexpr std::uint16_t kRecordFamily = 2;      // NETLINK_USERSOCK: for programs among themselves
inline constexpr std::size_t kCookedHeaderBytes = 16;
inline constexpr std::size_t kMaxRecordBytes = 128;

// The first packet: what the numbers of all others mean.
struct CaptureMetadata {
  std::uint64_t clock_offset_ns = 0;             // a packet's time less this is CLOCK_MONOTONIC, where the recorder ran
  std::uint32_t cpus = 0;                        // that the machine may ever have
  EventCoverage coverage = EventCoverage::kAll;  // what was subscribed to
  bool operator==(const CaptureMetadata&) const = default;
};

// What /proc said of a process, and why it was looked at.
struct CapturedProcSnapshot {
  enum class Kind : std::uint8_t {
    kBootstrap = 1,   // all who live, at the start
    kReconciliation,  // one that was missed
    kFull,            // one in doubt
    kNameOnly,        // one whose name waits: the name alone counts
    kGone,            // there is no such process
    kHidden,          // nothing is told of it
  };
  Kind kind = Kind::kBootstrap;
  bool requested = false;  // the ledger's question came before it
  ProcSnapshot snapshot;
  bool operator==(const CapturedProcSnapshot&) const = default;
};

// All that the kernel made before this moment stands before this packet.
struct CapturedWatermark {
  std::uint64_t complete_until_ns = 0;
  bool operator==(const CapturedWatermark&) const = default;
};

// Something was lost that no gap tells of, or none does yet.
struct CapturedInvalidation {
  bool operator==(const CapturedInvalidation&) const = default;
};

// A message that was not the kernel's, or too long to be one.
struct CapturedRejection {
  enum class Reason : std::uint8_t { kForeignSender = 1, kOversized };
  Reason reason = Reason::kForeignSender;
  bool operator==(const CapturedRejection&) const = default;
};

// The ledger was asked for a question, and had none.
struct CapturedNoRequest {
  bool operator==(const CapturedNoRequest&) const = default;
};

using CaptureRecord = std::variant<CaptureMetadata, CapturedProcSnapshot, CapturedWatermark, CapturedInvalidation,
                                   CapturedRejection, CapturedNoRequest>;

// A record as a packet's payload.
using RecordBuffer = std::array<std::byte, kMaxRecordBytes>;
std::span<const std::byte> EncodeRecord(const CaptureRecord& record, RecordBuffer& buffer);

// Whether a payload says that it is a record; one of a newer version may not be readable.
bool IsRecord(std::span<const std::byte> payload);
// Nothing, if the payload is no record that this version knows.
std::optional<CaptureRecord> DecodeRecord(std::span<const std::byte> payload);

// The header in front of each payload, as the kernel makes it for what it sends to programs.
std::array<std::byte, kCookedHeaderBytes> MakeCookedHeader(std::uint16_t family);

struct CookedHeader {
  std::uint16_t family = 0;
  bool to_kernel = false;  // what a program sent to it
};
// Nothing, if the packet does not begin with one.
std::optional<CookedHeader> ReadCookedHeader(std::span<const std::byte> packet);

}  // namespace procevent
