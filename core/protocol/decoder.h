// Decodes a connector datagram into messages.
//
// Pure: no allocation, no exception, no system call. Safe on arbitrary bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/protocol/event.h"

namespace procevent {

// Result of decoding one message. From kOverrun on, the message has no usable content. From kTruncatedNetlinkHeader on,
// the rest of the datagram is unreadable too, and the decoder stops.
enum class DecodeOutcome : std::uint8_t {
  kEvent,
  kControl,           // NOOP, or DONE without a payload
  kAcknowledgement,   // ERROR with errno 0
  kKernelError,       // ERROR with an errno
  kOverrun,           // the kernel reports that it lost data
  kReservedType,      // a netlink type below 16 without a defined meaning
  kForeignConnector,  // a connector message of another connector than cn_proc
  kTruncatedNetlinkHeader,
  kTruncatedConnectorHeader,
  kTruncatedEventHeader,
  kTruncatedEventBody,  // or any other part shorter than its claimed length
  kWrongLength,         // surplus bytes after the event that are not a message
};
inline constexpr std::size_t kDecodeOutcomes = 12;

enum class Control : std::uint8_t { kNoop, kDone };

// One decoded netlink message.
struct Message {
  DecodeOutcome outcome = DecodeOutcome::kControl;
  Control control = Control::kNoop;  // set for kControl
  std::int32_t kernel_errno = 0;     // set for kKernelError; positive, except that INT32_MIN stays negative
  Event event = {};                  // set for kEvent
};

// Decodes the messages of one datagram, one after the other. ForEachMessage is the loop around it.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> datagram) : rest_(datagram) {}

  // Fills in the next message. Returns false at the end of the datagram. Views in the message point into the datagram,
  // which must outlive them.
  [[nodiscard]] bool Next(Message& message) noexcept;

 private:
  std::span<const std::byte> rest_;
};

// Calls `on_message` with each message of the datagram, in order.
template <typename OnMessage>
void ForEachMessage(std::span<const std::byte> datagram, OnMessage&& on_message) {
  Decoder decoder(datagram);
  for (Message message; decoder.Next(message);) {
    on_message(message);
  }
}

}  // namespace procevent
