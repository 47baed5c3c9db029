#include "core/protocol/encoder.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <type_traits>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

void Append(Bytes& bytes, std::span<const std::byte> raw) { std::ranges::copy(raw, std::back_inserter(bytes)); }

template <typename T>
void Put(Bytes& bytes, const T& value) {
  static_assert(std::has_unique_object_representations_v<T>);  // no padding byte is sent
  Append(bytes, std::as_bytes(std::span<const T, 1>(&value, 1)));
}

// Pads the end to the alignment, as the kernel does. The length field does not include the padding.
Bytes MakeNetlink(std::uint16_t type, std::uint32_t sequence, std::span<const std::byte> payload) {
  const std::size_t length = wire::kNetlinkHeader + payload.size();
  assert(length <= std::numeric_limits<std::uint32_t>::max());
  Bytes bytes;
  bytes.reserve(length + wire::kNetlinkAlignment);
  Put(bytes, static_cast<std::uint32_t>(length));
  Put(bytes, type);
  Put(bytes, std::uint16_t{0});  // flags
  Put(bytes, sequence);
  Put(bytes, std::uint32_t{0});  // port id: the kernel's
  Append(bytes, payload);
  while (bytes.size() % wire::kNetlinkAlignment != 0) {
    bytes.push_back(std::byte{0});
  }
  return bytes;
}

struct ConnectorNumbers {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
};

Bytes MakeConnector(ConnectorNumbers numbers, std::span<const std::byte> data) {
  assert(data.size() <= std::numeric_limits<std::uint16_t>::max());
  Bytes bytes;
  bytes.reserve(wire::kConnectorHeader + data.size());
  Put(bytes, wire::kProcIndex);
  Put(bytes, wire::kProcValue);
  Put(bytes, numbers.sequence);
  Put(bytes, numbers.acknowledged);
  Put(bytes, static_cast<std::uint16_t>(data.size()));
  Put(bytes, std::uint16_t{0});  // flags
  Append(bytes, data);
  return MakeNetlink(wire::kDone, numbers.sequence, bytes);
}

// An unknown event has the type that it was given.
std::uint32_t TypeOf(const Event& event) {
  return std::visit(
      [what = event.what](const auto& body) {
        constexpr std::span<const std::uint32_t> kTypes = std::remove_cvref_t<decltype(body)>::kTypes;
        return kTypes.empty() || std::ranges::find(kTypes, what) != kTypes.end() ? what : kTypes.front();
      },
      event.body);
}

// The kernel's body is a union, so an event with a known body always has the same size. An unknown body keeps its size.
void PutBody(Bytes& bytes, const Event::Body& body) {
  std::visit(
      [&bytes](const auto& typed) {
        if constexpr (std::is_same_v<decltype(typed), const UnknownBody&>) {
          Append(bytes, typed.payload);
        } else {
          Put(bytes, typed);
          bytes.resize(wire::kEvent);
        }
      },
      body);
}

// Appends one nonzero byte that the connector header does not claim, so that it is not padding.
Bytes WithSurplusByte(const Bytes& datagram) {
  Bytes payload(datagram.begin() + wire::kNetlinkHeader, datagram.end());
  payload.push_back(std::byte{1});
  return EncodeNetlink(wire::kDone, payload);
}

// `data` is the operation and an optional mask. The token goes into `ack` because the kernel overwrites the sequence.
Bytes MakeRequest(std::span<const std::byte> data, std::uint32_t token) {
  return MakeConnector({.sequence = 0, .acknowledged = token}, data);
}

}  // namespace

Bytes EncodeRequest(ConnectorOperation operation, std::uint32_t token) {
  Bytes data;
  Put(data, operation);
  return MakeRequest(data, token);
}

Bytes EncodeRequest(ConnectorOperation operation, EventMask mask, std::uint32_t token) {
  Bytes data;
  Put(data, operation);
  Put(data, mask.bits());
  return MakeRequest(data, token);
}

Bytes EncodeEvent(const Event& event) {
  Bytes data;
  Put(data, TypeOf(event));
  Put(data, event.cpu);
  Put(data, event.timestamp_ns);
  PutBody(data, event.body);
  return MakeConnector({.sequence = event.sequence, .acknowledged = event.acknowledged}, data);
}

Bytes EncodeNetlink(std::uint16_t type, std::span<const std::byte> payload) { return MakeNetlink(type, 0, payload); }

// The kernel sends a negative errno, followed by the netlink header of the message that it answers.
Bytes EncodeError(std::int32_t kernel_errno) {
  Bytes payload;
  Put(payload, kernel_errno > 0 ? -kernel_errno : kernel_errno);
  Append(payload, std::array<std::byte, wire::kNetlinkHeader>{});
  return MakeNetlink(wire::kError, 0, payload);
}

Bytes EncodeMessage(const Message& message) {
  switch (message.outcome) {
    case DecodeOutcome::kEvent:
      return EncodeEvent(message.event);
    case DecodeOutcome::kControl:
      return EncodeNetlink(message.control == Control::kNoop ? wire::kNoop : wire::kDone, {});
    case DecodeOutcome::kAcknowledgement:
      return EncodeError(0);
    case DecodeOutcome::kKernelError:
      return EncodeError(message.kernel_errno);
    case DecodeOutcome::kOverrun:
      return EncodeNetlink(wire::kOverrun, {});
    case DecodeOutcome::kReservedType:
      return EncodeNetlink(wire::kOverrun + 1, {});
    case DecodeOutcome::kForeignConnector:
      return EncodeNetlink(wire::kDone, Bytes(wire::kConnectorHeader));
    case DecodeOutcome::kTruncatedNetlinkHeader:
      return Bytes(1);
    case DecodeOutcome::kTruncatedConnectorHeader:
      return EncodeNetlink(wire::kDone, Bytes(wire::kNetlinkAlignment));
    case DecodeOutcome::kTruncatedEventHeader:
      return MakeConnector({}, {});
    case DecodeOutcome::kTruncatedEventBody:
      return EncodeEvent({.what = wire::kWhatFork, .body = UnknownBody{}});
    case DecodeOutcome::kWrongLength:
      return WithSurplusByte(EncodeEvent({.body = AckBody{}}));
  }
  return {};
}

}  // namespace procevent
