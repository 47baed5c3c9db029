// Batch of up to 64 datagrams received by one system call into preallocated memory.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/protocol/decoder.h"

namespace procevent {

// One received datagram and its origin.
struct Datagram {
  enum class Origin : std::uint8_t {
    kKernel,
    kForeign,    // the sender is not the kernel
    kOversized,  // too long for a slot
  };
  Origin origin = Origin::kKernel;
  std::span<const std::byte> bytes;  // truncated to the slot if oversized; valid until the batch is refilled
};

// Receives and holds datagrams. A source fills the batch, the reader consumes it. One thread at a time.
class DatagramBatch {
 public:
  static constexpr std::size_t kSlots = 64;
  // Of a batch for the connector, whose datagrams have 76. Small, so that a batch stays in the cache.
  static constexpr std::size_t kSlotBytes = 256;

  // A datagram longer than `slot_bytes` is oversized.
  explicit DatagramBatch(std::size_t slot_bytes = kSlotBytes);

  // Receives up to kSlots datagrams from a netlink socket without blocking. Returns their number.
  Result<std::size_t> FillFrom(int fd);

  // For sources without a socket: empties the batch, and adds one datagram (false if the batch is full).
  void Clear() { size_ = 0; }
  bool Append(std::span<const std::byte> bytes, std::uint32_t port_id);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == kSlots; }
  [[nodiscard]] Datagram operator[](std::size_t index) const;

 private:
  struct Slots {
    std::array<mmsghdr, kSlots> headers{};
    std::array<iovec, kSlots> parts{};
    std::array<sockaddr_nl, kSlots> senders{};
    std::vector<std::byte> bytes;
  };
  std::size_t slot_bytes_;
  std::unique_ptr<Slots> slots_;  // on the heap: the headers point into it, so the batch can move
  std::size_t size_ = 0;
};

// Calls `on_message` with each message from the kernel, in order. Skips datagrams of other senders. Views in a message
// are valid until the batch is refilled.
template <typename OnMessage>
void ForEachKernelMessage(const DatagramBatch& batch, OnMessage&& on_message) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (const Datagram datagram = batch[i]; datagram.origin == Datagram::Origin::kKernel) {
      ForEachMessage(datagram.bytes, on_message);
    }
  }
}

// The same for events only.
template <typename OnEvent>
void ForEachKernelEvent(const DatagramBatch& batch, OnEvent&& on_event) {
  ForEachKernelMessage(batch, [&](const Message& message) {
    if (message.outcome == DecodeOutcome::kEvent) {
      on_event(message.event);
    }
  });
}

}  // namespace procevent
