// Encodes and decodes the packets of a capture: its metadata and every input, in order.
//
// Each packet begins with the cooked header of LINKTYPE_NETLINK. Connector datagrams are stored as the kernel sent
// them, in the netlink family of the connector. Everything else is a record of this program. Records use a netlink
// family that the kernel never sends, and each begins with a magic number and a version. This program writes version 2
// and also reads version 1. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "core/protocol/event_mask.h"
#include "core/protocol/input.h"

namespace procevent {

inline constexpr int kCaptureLinkType = 253;           // LINKTYPE_NETLINK
inline constexpr std::uint16_t kConnectorFamily = 11;  // NETLINK_CONNECTOR
inline constexpr std::uint16_t kRecordFamily = 2;      // NETLINK_USERSOCK: reserved for user-space programs
inline constexpr std::size_t kCookedHeaderBytes = 16;
inline constexpr std::size_t kRecordHeadBytes = 24;
inline constexpr std::size_t kMaxPayloadBytes = kRecordHeadBytes + 2048;  // of a packet, without the cooked header

// First record of a capture: clock, CPUs and coverage of the recording.
struct CaptureMetadata {
  std::uint64_t clock_offset_ns = 0;             // packet time - offset = CLOCK_MONOTONIC of the recording host
  std::uint32_t cpus = 0;                        // possible CPUs of the recording host
  EventCoverage coverage = EventCoverage::kAll;  // of the recorded subscription
  bool operator==(const CaptureMetadata&) const = default;
};

// A packet that is neither a datagram from the kernel to a subscriber nor a record.
struct ForeignPacket {
  bool operator==(const ForeignPacket&) const = default;
};

// A record of version 2 whose kind this program does not know. It is skipped.
struct UnknownRecord {
  std::uint16_t kind = 0;
  std::size_t bytes = 0;  // of the body
  bool operator==(const UnknownRecord&) const = default;
};

// A record that is damaged, or of a version that this program cannot read.
struct InvalidRecord {
  bool operator==(const InvalidRecord&) const = default;
};

// Content of a packet. A datagram is a view into the packet.
using PacketContent = std::variant<ForeignPacket, CaptureMetadata, Input, UnknownRecord, InvalidRecord>;

// The input of that type that a packet holds, or nullptr.
template <typename T>
const T* FindInput(const PacketContent& content) {
  const auto* const input = std::get_if<Input>(&content);
  return input == nullptr ? nullptr : std::get_if<T>(input);
}

// Family and payload of a packet. The payload is a view into a datagram or into the buffer that it was encoded in.
struct EncodedPacket {
  std::uint16_t family = kRecordFamily;
  std::span<const std::byte> payload;
};
using RecordBuffer = std::array<std::byte, kMaxPayloadBytes>;
EncodedPacket EncodePacket(const CaptureMetadata& metadata, RecordBuffer& buffer);
EncodedPacket EncodePacket(const Input& input, RecordBuffer& buffer);

// The cooked header that the kernel writes for a message to user space.
std::array<std::byte, kCookedHeaderBytes> MakeCookedHeader(std::uint16_t family);

// Decoded fields of a cooked header.
struct CookedHeader {
  std::uint16_t family = 0;
  bool to_kernel = false;  // sent by a program to the kernel
};
// Returns nothing if the packet does not begin with a cooked netlink header.
std::optional<CookedHeader> ReadCookedHeader(std::span<const std::byte> packet);

// `payload` follows the cooked header.
PacketContent DecodePacket(const CookedHeader& header, std::span<const std::byte> payload);

}  // namespace procevent
