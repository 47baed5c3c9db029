// Datagram in, messages out. Pure: no allocation, no exception, no syscall; safe on any bytes. The reader, the
// connector socket (for its ACK), the fuzzer and the benchmark share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/protocol/event.h"

namespace procevent {

// What one message turned out to be. From kOverrun on nothing was learnt from it; from kTruncatedNetlinkHeader on the
// rest of its datagram is unreadable too, and the decoder stops there.
enum class DecodeOutcome : std::uint8_t {
  kEvent,
  kControl,           // NOOP, or DONE without a payload
  kAcknowledgement,   // ERROR with errno 0
  kKernelError,       // ERROR with an errno
  kOverrun,           // the kernel says that it lost data
  kReservedType,      // a netlink type below 16 that has no meaning for us
  kForeignConnector,  // a connector message that is not of cn_proc
  kTruncatedNetlinkHeader,
  kTruncatedConnectorHeader,
  kTruncatedEventHeader,
  kTruncatedEventBody,  // or whatever else there is less of than was claimed
  kWrongLength,         // more than an event, and no message of its own
};
inline constexpr std::size_t kDecodeOutcomes = 12;

enum class Control : std::uint8_t { kNoop, kDone };

struct Message {
  DecodeOutcome outcome = DecodeOutcome::kControl;
  Control control = Control::kNoop;  // of a kControl
  std::int32_t kernel_errno = 0;     // of a kKernelError, as the kernel wrote it, positive; INT32_MIN stays what it is
  Event event = {};                  // of a kEvent
};

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> datagram) : rest_(datagram) {}

  // Fills in the next message; false at the end of the datagram. What views there are point into the datagram.
  [[nodiscard]] bool Next(Message& message) noexcept;

 private:
  std::span<const std::byte> rest_;
};

}  // namespace procevent
