#include "core/protocol/decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

using View = std::span<const std::byte>;

// Before Linux 4.18 an exit body was 8 bytes shorter, without the parent.
constexpr std::size_t kExitBytesWithoutParent = 16;

// The caller has checked that `offset` is within `bytes`.
template <typename T>
T Load(View bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

// Usually there are no bytes, which skips the unrolled loop.
bool AllZero(View bytes) {
  return bytes.empty() || std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// The body structs have the kernel's layout: same fields, same order, no padding. The body is assigned, not emplaced,
// because static analysis assumes that emplace can throw.
template <typename Body>
bool CopyBody(View payload, Event::Body& body) {
  static_assert(std::is_trivially_copyable_v<Body> && std::has_unique_object_representations_v<Body>);
  if (payload.size() < sizeof(Body)) {
    return false;
  }
  body = Event::Body(Load<Body>(payload, 0));
  return true;
}

bool CopyExit(View payload, std::size_t claimed, Event::Body& body) {
  if (claimed != kExitBytesWithoutParent) {
    return CopyBody<ExitBody>(payload, body);
  }
  if (payload.size() < kExitBytesWithoutParent) {
    return false;
  }
  std::array<std::byte, sizeof(ExitBody)> padded{};
  std::ranges::copy(payload.first(kExitBytesWithoutParent), padded.begin());
  return CopyBody<ExitBody>(padded, body);
}

template <typename Body>
bool DecodeBodyAs(View payload, std::size_t claimed, Event::Body& body) {
  if constexpr (std::is_same_v<Body, UnknownBody>) {  // it has no other size than the claimed one
    body = Event::Body(UnknownBody{payload});
    return payload.size() == claimed;
  } else if constexpr (std::is_same_v<Body, ExitBody>) {
    return CopyExit(payload, claimed, body);
  } else {
    return CopyBody<Body>(payload, body);
  }
}

template <typename Body>
constexpr bool HasType(std::uint32_t what) {
  return Body::kTypes.empty() || std::ranges::find(Body::kTypes, what) != Body::kTypes.end();
}

// `payload` is the available part of the `claimed` bytes. Returns false if the body is truncated.
bool DecodeBody(View payload, std::size_t claimed, Event& event) {
  return WithEventBodies([&]<typename... Bodies>() {
    bool complete = false;
    static_cast<void>((
        (HasType<Bodies>(event.what) && (complete = DecodeBodyAs<Bodies>(payload, claimed, event.body), true)) || ...));
    return complete;
  });
}

// `bytes` is everything after the connector header, which claims `claimed` bytes of it for the event.
DecodeOutcome DecodeEvent(View bytes, std::size_t claimed, Event& event) {
  const View available = bytes.first(std::min(claimed, bytes.size()));
  if (available.size() < wire::kEventHeader) {
    return DecodeOutcome::kTruncatedEventHeader;
  }
  event.what = Load<std::uint32_t>(available, 0);
  event.cpu = Load<std::uint32_t>(available, 4);
  event.timestamp_ns = Load<std::uint64_t>(available, 8);
  if (!DecodeBody(available.subspan(wire::kEventHeader), claimed - wire::kEventHeader, event)) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  if (claimed > bytes.size()) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  return AllZero(bytes.subspan(available.size())) ? DecodeOutcome::kEvent : DecodeOutcome::kWrongLength;
}

DecodeOutcome DecodeConnector(View bytes, Event& event) {
  if (bytes.size() < wire::kConnectorHeader) {
    return DecodeOutcome::kTruncatedConnectorHeader;
  }
  if (Load<std::uint32_t>(bytes, 0) != wire::kProcIndex || Load<std::uint32_t>(bytes, 4) != wire::kProcValue) {
    return DecodeOutcome::kForeignConnector;
  }
  event.sequence = Load<std::uint32_t>(bytes, 8);
  event.acknowledged = Load<std::uint32_t>(bytes, 12);
  const std::size_t claimed = Load<std::uint16_t>(bytes, 16);
  return DecodeEvent(bytes.subspan(wire::kConnectorHeader), claimed, event);
}

DecodeOutcome DecodeError(View bytes, std::int32_t& kernel_errno) {
  if (bytes.size() < sizeof(std::int32_t)) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  const auto error = Load<std::int32_t>(bytes, 0);
  if (error == 0) {
    return DecodeOutcome::kAcknowledgement;
  }
  const bool negatable = error < 0 && error != std::numeric_limits<std::int32_t>::min();
  kernel_errno = negatable ? -error : error;
  return DecodeOutcome::kKernelError;
}

// `bytes` is the available part of the payload. `empty` means that the header claims no payload.
DecodeOutcome DecodePayload(std::uint16_t type, bool empty, View bytes, Message& message) {
  if (type >= wire::kFirstDataType || (type == wire::kDone && !empty)) {
    return DecodeConnector(bytes, message.event);
  }
  switch (type) {
    case wire::kNoop:
    case wire::kDone:
      message.control = type == wire::kNoop ? Control::kNoop : Control::kDone;
      return DecodeOutcome::kControl;
    case wire::kError:
      return DecodeError(bytes, message.kernel_errno);
    case wire::kOverrun:
      return DecodeOutcome::kOverrun;
    default:
      return DecodeOutcome::kReservedType;
  }
}

constexpr bool EndsDatagram(DecodeOutcome outcome) { return outcome >= DecodeOutcome::kTruncatedNetlinkHeader; }

constexpr std::size_t Aligned(std::size_t length) {
  return (length + wire::kNetlinkAlignment - 1) / wire::kNetlinkAlignment * wire::kNetlinkAlignment;
}

// Decodes the first message of `bytes`, whose header claims `length` bytes.
DecodeOutcome DecodeMessage(View bytes, std::size_t length, Message& message) {
  const View available = bytes.first(std::min(length, bytes.size()));
  if (available.size() < wire::kNetlinkHeader) {
    return DecodeOutcome::kTruncatedNetlinkHeader;
  }
  const auto type = Load<std::uint16_t>(available, 4);
  const bool empty = length == wire::kNetlinkHeader;
  const DecodeOutcome outcome = DecodePayload(type, empty, available.subspan(wire::kNetlinkHeader), message);
  // Every layer is complete, but the message claims more bytes than the datagram has.
  return length > bytes.size() && !EndsDatagram(outcome) ? DecodeOutcome::kTruncatedEventBody : outcome;
}

}  // namespace

bool Decoder::Next(Message& message) noexcept {
  if (rest_.empty()) {
    return false;
  }
  // The length field itself may be truncated. Then the remaining bytes are one message that is too short.
  const std::size_t length = rest_.size() < wire::kNetlinkHeader ? rest_.size() : Load<std::uint32_t>(rest_, 0);
  message.outcome = DecodeMessage(rest_, length, message);
  const std::size_t aligned = Aligned(length);
  if (aligned >= rest_.size() || EndsDatagram(message.outcome)) {
    rest_ = {};
    return true;
  }
  rest_ = rest_.subspan(aligned);
  if (message.outcome == DecodeOutcome::kEvent && AllZero(rest_)) {
    rest_ = {};  // padding after an event
  }
  return true;
}

}  // namespace procevent
